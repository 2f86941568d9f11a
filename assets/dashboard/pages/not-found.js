import { fill, h } from "../dom.js";
import { pageHead } from "../components/page.js";

/** The page of an address that no page stands at. */
export default function notFound({ root }) {
  fill(root, pageHead("Page not found", "There is nothing at this address."), h("p", null, h("a", { href: "/dashboard" }, "Go to the overview")));
}
