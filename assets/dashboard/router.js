// Which page stands at which path, and how to get there without loading anew.

const ROUTES = [
  { path: /^\/dashboard\/?$/, page: "overview", title: "Overview" },
  { path: /^\/dashboard\/memories$/, page: "memories", title: "Memories" },
  { path: /^\/dashboard\/memories\/(?<id>[^/]+)$/, page: "memory", title: "Memory" },
  { path: /^\/dashboard\/profile$/, page: "profile", title: "Profile" },
  { path: /^\/dashboard\/keys$/, page: "keys", title: "Keys" },
  { path: /^\/dashboard\/usage$/, page: "usage", title: "Usage" },
  { path: /^\/dashboard\/activity$/, page: "activity", title: "Activity" },
  { path: /^\/dashboard\/settings$/, page: "settings", title: "Settings" },
  { path: /^\/dashboard\/sign-in$/, page: "sign-in", title: "Sign in", isPublic: true },
  { path: /^\/dashboard\/welcome$/, page: "welcome", title: "Set up your account", isPublic: true },
  { path: /^\/dashboard\/sign-up$/, page: "sign-in", title: "Create an account", isPublic: true },
];

const NOWHERE = { page: "not-found", title: "Page not found" };
const FILES = /^\/dashboard\/(assets|api)\//;

/** The route of a path, with what the path names, encoded as it stands there. */
export function match(path) {
  for (const route of ROUTES) {
    const found = route.path.exec(path);
    if (found) return { ...route, params: { ...found.groups } };
  }
  return { ...NOWHERE, params: {} };
}

let show = () => {};

/** Begins to follow links and the browser's history. `display({isFirst})` shows the page of the current address. */
export function start(display) {
  show = display;
  document.addEventListener("click", followLink);
  window.addEventListener("popstate", () => show({ isFirst: false }));
  return show({ isFirst: true });
}

function followLink(event) {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (!/^\/dashboard(\/|$)/.test(link.pathname) || FILES.test(link.pathname)) return;
  if (link.hash && link.pathname === location.pathname) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
}

/** Goes to a page. */
export function navigate(path, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", path);
  scrollTo(0, 0);
  return show({ isFirst: false });
}

/** Keeps the state of a page's filters in its address, without a new step in the history. */
export function keepQuery(query) {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "" && value !== false);
  const search = new URLSearchParams(entries).toString();
  history.replaceState(null, "", search ? `${location.pathname}?${search}` : location.pathname);
}

/** Where to go after signing in: only ever a page of the dashboard. */
export function safeNext(next) {
  return /^\/dashboard(?=$|[/?])/.test(next ?? "") && !match(next.split("?")[0]).isPublic ? next : "/dashboard";
}
