// Signing in and signing up: the same card with one field more.

import { openSession } from "../api.js";
import { fill, h } from "../dom.js";
import { navigate, safeNext } from "../router.js";
import { signedIn } from "../session.js";
import { copyBlock } from "../components/copy.js";
import { field, form, passwordField } from "../components/form.js";
import { notice } from "../components/notice.js";

let farewell = null;

/** Has the next sign-up page say goodbye to a deleted account, with the receipt. */
export function sayFarewell(receipt) {
  farewell = receipt;
}

export default function signIn({ root, query }) {
  const isNew = location.pathname === "/dashboard/sign-up";
  const email = field({ name: "email", label: "E-mail address", type: "email", autocomplete: "username", required: true, autocapitalize: "none", spellcheck: "false" });
  const password = passwordField({
    name: "password",
    label: "Password",
    hint: isNew ? "12 to 256 characters." : null,
    autocomplete: isNew ? "new-password" : "current-password",
    minlength: isNew ? 12 : null,
    maxlength: 256,
  });
  const name = isNew && field({ name: "name", label: "Name", autocomplete: "name", isOptional: true, maxlength: 128 });

  const submit = async ({ data, refuse }) => {
    const credentials = { email: data.get("email").trim(), password: data.get("password") };
    if (isNew && [...credentials.password].length < 12) return refuse("password", "Use at least 12 characters");
    if (isNew && data.get("name").trim()) credentials.name = data.get("name").trim();
    await openSession(credentials, isNew);
    await signedIn();
    return navigate(safeNext(query.get("next")), { replace: true });
  };

  const other = isNew ? ["sign-in", "Sign in", "Have an account?"] : ["sign-up", "Create an account", "New here?"];
  const search = query.get("next") ? `?next=${encodeURIComponent(query.get("next"))}` : "";
  const receipt = isNew && farewell;
  farewell = null;
  fill(
    root,
    receipt && goodbye(receipt),
    h(
      "div",
      { class: "card sign-in" },
      h("h1", null, isNew ? "Create an account" : "Sign in"),
      h("p", { class: "lead" }, isNew ? "Give your AI applications a long-term memory." : "Manage keys, memories and usage."),
      form({ content: [email.element, name && name.element, password.element], label: isNew ? "Create account" : "Sign in", submit, explain }),
      h("p", { class: "aside" }, `${other[2]} `, h("a", { href: `/dashboard/${other[0]}${search}` }, other[1])),
    ),
    h("p", { class: "front-foot" }, h("a", { href: "/docs" }, "API docs")),
  );
  root.querySelector(".farewell h2")?.focus();
}

function explain(error) {
  const words = {
    AUTHENTICATION_ERROR: "The e-mail address or the password is wrong.",
    EMAIL_TAKEN: "There is already an account with this e-mail address. Sign in instead.",
    PERMISSION_DENIED: "Registration is closed here. Ask the operator of this service for an account.",
  };
  return words[error.code] && notice("bad", words[error.code]);
}

function goodbye(receipt) {
  return h(
    "div",
    { class: "card farewell" },
    h("h2", { tabindex: -1 }, "Your account is deleted"),
    h("p", null, "Everything that belonged to it is erased. This receipt proves it; ", h("code", null, "memsync verify-receipt"), " checks it. It is shown only once."),
    copyBlock(receipt, "Receipt for the deletion"),
  );
}
