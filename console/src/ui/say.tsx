import { Toast, Toaster, ToastBody, ToastTitle, useToastController } from "@fluentui/react-components";
import { useCallback } from "react";
import { words } from "./Fault";

const toaster = "seawall";

/** Says is where short messages appear. */
export function Says() {
  return <Toaster toasterId={toaster} position="bottom-end" />;
}

/** useSay tells that something was done. */
export function useSay() {
  const { dispatchToast } = useToastController(toaster);
  return useCallback(
    (text: string) =>
      dispatchToast(
        <Toast>
          <ToastTitle>{text}</ToastTitle>
        </Toast>,
        { intent: "success", timeout: 4000 },
      ),
    [dispatchToast],
  );
}

/** useSayFault tells that something failed, and why. */
export function useSayFault() {
  const { dispatchToast } = useToastController(toaster);
  return useCallback(
    (fault: unknown) => {
      const { title, detail } = words(fault);
      dispatchToast(
        <Toast>
          <ToastTitle>{title}</ToastTitle>
          {detail && <ToastBody>{detail}</ToastBody>}
        </Toast>,
        { intent: "error", timeout: 8000 },
      );
    },
    [dispatchToast],
  );
}
