import { createDarkTheme, createLightTheme, FluentProvider, RendererProvider, createDOMRenderer, type BrandVariants } from "@fluentui/react-components";
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import { useMedia } from "../lib/useMedia";

const brand: BrandVariants = {
  10: "#020405", 20: "#0a191e", 30: "#0a2a34", 40: "#0a3746", 50: "#0b4457", 60: "#0d5169", 70: "#0f5f7a", 80: "#0f6a85",
  90: "#2a7b95", 100: "#428ba3", 110: "#599cb1", 120: "#70adbf", 130: "#88bdcd", 140: "#a1cedb", 150: "#bbdfe9", 160: "#d6eff6",
};
const light = createLightTheme(brand);
const dark = {
  ...createDarkTheme(brand),
  colorBrandForeground1: brand[130], colorBrandForeground2: brand[140], colorBrandForegroundLink: brand[130],
  colorCompoundBrandForeground1: brand[130], colorCompoundBrandStroke: brand[120], colorBrandStroke1: brand[120],
};

/** Choice of the colours: by the system until somebody chooses. */
export type Choice = "system" | "light" | "dark";

const Context = createContext<{ choice: Choice; isDark: boolean; choose: (c: Choice) => void }>({ choice: "system", isDark: false, choose: () => {} });

/** useTheme says which colours are in use and changes them. */
export const useTheme = () => useContext(Context);

const storageKey = "seawall.theme";

function stored(): Choice {
  try {
    const value = localStorage.getItem(storageKey);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system"; // storage is refused
  }
}

/** Theme provides Fluent UI's tokens, and the nonce without which the page's policy refuses the styles that it makes. */
export function Theme({ children }: { children: ReactNode }) {
  const [choice, setChoice] = useState(stored);
  const systemDark = useMedia("(prefers-color-scheme: dark)");
  const isDark = choice === "dark" || (choice === "system" && systemDark);
  useEffect(() => {
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
  }, [isDark]);
  const value = useMemo(() => ({ choice, isDark, choose: (c: Choice) => (store(c), setChoice(c)) }), [choice, isDark]);
  const renderer = useMemo(() => createDOMRenderer(document, { styleElementAttributes: { nonce: nonce() } }), []);
  return (
    <RendererProvider renderer={renderer}>
      <FluentProvider theme={isDark ? dark : light} className={isDark ? "sw-app sw-dark" : "sw-app"}>
        <Context.Provider value={value}>
          <div className="sw-ground">{children}</div>
        </Context.Provider>
      </FluentProvider>
    </RendererProvider>
  );
}

function nonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";
}

function store(c: Choice) {
  try {
    if (c === "system") localStorage.removeItem(storageKey);
    else localStorage.setItem(storageKey, c);
  } catch {
    // storage is refused: the choice holds for this page
  }
}
