// Where a one-time link leads: the owner of an account that has no password chooses an address and a password.

import { setUp } from "../api.js";
import { fill, h } from "../dom.js";
import { navigate } from "../router.js";
import { signedIn } from "../session.js";
import { field, form, passwordField } from "../components/form.js";
import { notice } from "../components/notice.js";

const INCOMPLETE = "This link is not complete. Copy all of it, with what follows the #.";

export default function welcome({ root }) {
  const email = field({ name: "email", label: "E-mail address", type: "email", autocomplete: "username", required: true, autocapitalize: "none", spellcheck: "false" });
  const password = passwordField({ name: "password", label: "Password", hint: "12 to 256 characters.", autocomplete: "new-password", minlength: 12, maxlength: 256 });

  const submit = async ({ data, refuse }) => {
    const credentials = { setup_token: location.hash.slice(1), email: data.get("email").trim(), password: data.get("password") };
    if ([...credentials.password].length < 12) return refuse("password", "Use at least 12 characters");
    await setUp(credentials);
    await signedIn();
    return navigate("/dashboard", { replace: true });
  };

  fill(
    root,
    h(
      "div",
      { class: "card sign-in" },
      h("h1", null, "Set up your account"),
      h("p", { class: "lead" }, "Choose what you will sign in with. Your memories and keys stay as they are."),
      location.hash.length < 2 ? ended(INCOMPLETE) : form({ content: [email.element, password.element], label: "Set up account", submit, explain }),
      h("p", { class: "aside" }, "Already set up? ", h("a", { href: "/dashboard/sign-in" }, "Sign in")),
    ),
    h("p", { class: "front-foot" }, h("a", { href: "/docs" }, "API docs")),
  );
}

function explain(error) {
  const isIncomplete = error.violations.some(({ field: name }) => name === "setup_token");
  if (isIncomplete) return ended(INCOMPLETE);
  const words = {
    AUTHENTICATION_ERROR: "This link has been used, or its 15 minutes are over. Start the server again to get another one.",
    EMAIL_TAKEN: "This e-mail address belongs to another account. Choose another one.",
  };
  return words[error.code] && ended(words[error.code]);
}

const ended = (words) => notice("bad", words);
