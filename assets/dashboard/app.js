// Starts the dashboard: finds out who is signed in, then shows the page of the address.

import { onSignedOut } from "./api.js";
import { fill, h } from "./dom.js";
import { keepQuery, match, navigate, safeNext, start } from "./router.js";
import { account, leave, loadAccount } from "./session.js";
import { frame, markCurrent } from "./shell.js";
import { closeDialogs } from "./components/dialog.js";
import { problem } from "./components/notice.js";

/** Loads a page's module when it is first needed. */
const load = (page) => import(`./pages/${page}.js`);

let current = new AbortController();

async function display({ isFirst }) {
  current.abort();
  closeDialogs();
  const { signal } = (current = new AbortController());
  const route = match(location.pathname);
  document.title = `${route.title} · MemSync`;
  try {
    const [module] = await Promise.all([load(route.page), route.isPublic || account || loadAccount()]);
    if (signal.aborted) return;
    const query = new URLSearchParams(location.search);
    if (route.isPublic && account) {
      navigate(safeNext(query.get("next")), { replace: true });
      return;
    }
    showPage(module.default, { ...route, query, signal }, isFirst);
  } catch (error) {
    if (!signal.aborted && error.status !== 401) showProblem(error, isFirst);
  }
}

/**
 * Puts a page in its place.
 * @param page a function of `{root, params, query, signal, keepQuery}` that fills `root` at once, headed by an `h1`, and
 *   goes on as it likes until `signal` aborts.
 */
function showPage(page, view, isFirst) {
  const root = h("div", { class: `page page-${view.page}` });
  fill(frame(view.isPublic), root);
  markCurrent(location.pathname);
  page({ ...view, root, keepQuery: (state) => view.signal.aborted || keepQuery(state) });
  const heading = root.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  if (!isFirst && !root.contains(document.activeElement)) heading?.focus({ preventScroll: true });
}

function showProblem(error, isFirst) {
  const page = h("div", { class: "page stack" }, h("h1", null, "This page can’t be shown"), problem(error, () => display({ isFirst })));
  if (account) fill(frame(false), page);
  else fill(frame(true), page);
}

onSignedOut(() => {
  const wanted = location.pathname + location.search;
  if (match(location.pathname).isPublic) return;
  const next = wanted === "/dashboard" ? "" : `?next=${encodeURIComponent(wanted)}`;
  leave(`/dashboard/sign-in${next}`);
});

start(display);
