// What stands around every page: navigation, the place of the page, toasts.

import { fill, h } from "./dom.js";
import { icon, logo } from "./icons.js";
import { account, signOut } from "./session.js";
import { toast, toasts } from "./components/toast.js";
import { errorWords } from "./components/notice.js";

const LINKS = [
  ["overview", "/dashboard", "Overview"],
  ["memories", "/dashboard/memories", "Memories"],
  ["profile", "/dashboard/profile", "Profile"],
  ["keys", "/dashboard/keys", "Keys"],
  ["usage", "/dashboard/usage", "Usage"],
  ["activity", "/dashboard/activity", "Activity"],
  ["settings", "/dashboard/settings", "Settings"],
];

const skipLink = () => h("a", { class: "skip-link", href: "#main" }, "Skip to content");

let shown = null;

/** The element that a page is put in, inside the frame that the page needs. */
export function frame(isPublic) {
  const kind = isPublic ? "public" : account.user_id;
  if (shown?.kind !== kind) {
    const main = h("main", { id: "main", tabindex: -1 });
    fill(document.body, skipLink(), isPublic ? publicFrame(main) : signedInFrame(main), toasts);
    shown = { kind, main };
  }
  return shown.main;
}

function publicFrame(main) {
  return h("div", { class: "front" }, h("header", { class: "front-brand" }, logo(32), "MemSync"), main);
}

function signedInFrame(main) {
  const nav = h(
    "nav",
    { class: "sidebar", id: "navigation", "aria-label": "Dashboard" },
    h("a", { class: "brand", href: "/dashboard" }, logo(), "MemSync"),
    h("ul", { class: "nav-links" }, LINKS.map(navLink)),
    h(
      "div",
      { class: "nav-foot" },
      h("a", { class: "nav-link", href: "/docs", target: "_blank", rel: "noopener" }, icon("docs"), "API docs", newTab()),
      h("button", { class: "nav-link", type: "button", onclick: leaveAccount }, icon("signOut"), "Sign out"),
      h("p", { class: "nav-account", title: account.email }, account.email ?? account.user_id),
    ),
  );
  const menu = h(
    "button",
    { class: "button ghost menu-button", type: "button", "aria-controls": "navigation", "aria-expanded": "false" },
    icon("menu", 20),
    "Menu",
  );
  const open = (isOpen) => {
    nav.classList.toggle("open", isOpen);
    menu.setAttribute("aria-expanded", String(isOpen));
  };
  menu.addEventListener("click", () => open(menu.getAttribute("aria-expanded") !== "true"));
  nav.addEventListener("click", (event) => event.target.closest("a") && open(false));
  nav.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !nav.classList.contains("open")) return;
    open(false);
    menu.focus();
  });
  const topbar = h("header", { class: "topbar" }, h("a", { class: "brand", href: "/dashboard" }, logo(24), "MemSync"), menu);
  return h("div", { class: "shell" }, topbar, nav, main);
}

function navLink([name, href, label]) {
  return h("li", null, h("a", { class: "nav-link", href }, icon(name), label));
}

/** Tells whoever can't see it that a link opens elsewhere. */
export function newTab() {
  return h("span", { class: "visually-hidden" }, " (opens in a new tab)");
}

/** Marks the link of the page that is shown. */
export function markCurrent(path) {
  for (const link of document.querySelectorAll(".nav-links a")) {
    const href = link.getAttribute("href");
    const isCurrent = href === "/dashboard" ? /^\/dashboard\/?$/.test(path) : path === href || path.startsWith(`${href}/`);
    if (isCurrent) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

async function leaveAccount() {
  try {
    await signOut();
  } catch (error) {
    toast(`You are still signed in. ${errorWords(error)}`);
  }
}
