import { AlertRegular } from "@fluentui/react-icons/svg/alert";
import { BoardRegular } from "@fluentui/react-icons/svg/board";
import { BookSearchRegular } from "@fluentui/react-icons/svg/book-search";
import { BoxRegular } from "@fluentui/react-icons/svg/box";
import { BoxMultipleRegular } from "@fluentui/react-icons/svg/box-multiple";
import { BugRegular } from "@fluentui/react-icons/svg/bug";
import { CalendarClockRegular } from "@fluentui/react-icons/svg/calendar-clock";
import { ClipboardTextLtrRegular } from "@fluentui/react-icons/svg/clipboard-text-ltr";
import { HandRightRegular } from "@fluentui/react-icons/svg/hand-right";
import { KeyRegular } from "@fluentui/react-icons/svg/key";
import { PeopleRegular } from "@fluentui/react-icons/svg/people";
import { SettingsRegular } from "@fluentui/react-icons/svg/settings";
import { ShieldTaskRegular } from "@fluentui/react-icons/svg/shield-task";
import { TaskListLtrRegular } from "@fluentui/react-icons/svg/task-list-ltr";
import type { ReactElement } from "react";

/** Place is an entry of the navigation. key follows "g" as a shortcut; action is what one must be allowed to see it. */
export interface Place {
  to: string;
  text: string;
  icon: ReactElement;
  key: string;
  action?: string;
}

export const groups: { title: string; places: Place[] }[] = [
  {
    title: "Images",
    places: [
      { to: "/", text: "Overview", icon: <BoardRegular />, key: "o", action: "image.list" },
      { to: "/images", text: "Images", icon: <BoxRegular />, key: "i", action: "image.list" },
      { to: "/repositories", text: "Repositories", icon: <BoxMultipleRegular />, key: "r", action: "image.list" },
      { to: "/findings", text: "Findings", icon: <BugRegular />, key: "f", action: "image.list" },
      { to: "/advisories", text: "Advisories", icon: <BookSearchRegular />, key: "v", action: "image.list" },
      { to: "/exceptions", text: "Exceptions", icon: <HandRightRegular />, key: "e", action: "image.list" },
      { to: "/outdated", text: "Out of date", icon: <CalendarClockRegular />, key: "d", action: "image.list" },
    ],
  },
  {
    title: "Administration",
    places: [
      { to: "/rules", text: "Registry", icon: <ShieldTaskRegular />, key: "p", action: "rule.read" },
      { to: "/users", text: "Users and roles", icon: <PeopleRegular />, key: "u", action: "user.read" },
      { to: "/keys", text: "Keys", icon: <KeyRegular />, key: "k", action: "key.read" },
      { to: "/audit", text: "Audit trail", icon: <ClipboardTextLtrRegular />, key: "a", action: "audit.read" },
      { to: "/jobs", text: "Jobs", icon: <TaskListLtrRegular />, key: "j", action: "job.read" },
      { to: "/notifications", text: "Notifications", icon: <AlertRegular />, key: "n", action: "notify.read" },
      { to: "/settings", text: "Settings", icon: <SettingsRegular />, key: "s" },
    ],
  },
];
