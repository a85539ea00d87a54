/** How many rows are drawn at once: more than a screen, few enough to be quick. */
const WINDOW = 40;

/** A list that draws its rows as a person comes to them. */
export class Rows<Item> {
  readonly #list: HTMLElement;
  readonly #draw: (item: Item, index: number) => HTMLElement;
  readonly #end = document.createElement("li");
  readonly #watch: IntersectionObserver;
  #items: readonly Item[] = [];
  #drawn = 0;

  constructor(list: HTMLElement, draw: (item: Item, index: number) => HTMLElement) {
    this.#list = list;
    this.#draw = draw;
    this.#end.setAttribute("aria-hidden", "true");
    this.#end.className = "end";
    this.#watch = new IntersectionObserver(
      (seen) => {
        if (seen.some(({ isIntersecting }) => isIntersecting)) this.#more();
      },
      { root: list, rootMargin: "600px" },
    );
  }

  show(items: readonly Item[]): void {
    this.#items = items;
    this.#drawn = 0;
    this.#list.replaceChildren();
    this.#list.scrollTop = 0;
    this.#more();
  }

  #more(): void {
    this.#watch.unobserve(this.#end);
    const next = this.#items.slice(this.#drawn, this.#drawn + WINDOW);
    const rows = next.map((item, index) => this.#draw(item, this.#drawn + index));
    this.#drawn += next.length;
    this.#end.remove();
    this.#list.append(...rows);
    if (this.#drawn >= this.#items.length) return;
    this.#list.append(this.#end);
    // Observed anew, it reports again even if it is still in sight.
    this.#watch.observe(this.#end);
  }
}
