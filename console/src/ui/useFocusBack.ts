import { useEffect, useState } from "react";

/** useFocusBack gives the focus back to where it was when what calls it goes away: the button that opened a dialog. */
export function useFocusBack() {
  const [before] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      setTimeout(() => {
        const lost = !document.activeElement || document.activeElement === document.body;
        if (lost && before instanceof HTMLElement && before.isConnected) before.focus();
      }, 50);
    },
    [before],
  );
}
