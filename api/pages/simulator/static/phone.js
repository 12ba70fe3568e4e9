// One phone: shows what arrives, sends what is typed, pressed or attached.
// One-time links into the other two messengers, as Kulanz sends them.
const LINK = /https:\/\/(?:t\.me\/(?<bot>\w+)\?start=(?<token>[\w-]{1,64})|wa\.me\/(?<number>\d+)\?text=(?<text>\S+))|(?<page>https?:\/\/[^\s\/]+\/p\/[a-z0-9-]{14})/g;
const SUGGESTED_MAX = 2;

const icon = (name, label, className = "") => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  if (className) svg.setAttribute("class", className);
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
};
const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
};

export class Phone {
  constructor(element, given, act) {
    this.element = element;
    this.name = element.dataset.phone;
    this.has = element.dataset.has === "yes";
    this.given = given;
    this.act = act;
    this.messages = new Map();
    this.day = "";
    this.talk = element.querySelector(".talk");
    this.list = element.querySelector(".bubbles");
    this.might = element.querySelector(".might");
    this.form = element.querySelector(".write");
    const locale = given.language === "de" ? "de-DE" : "en-GB";
    const zone = { timeZone: given.zone };
    this.timeForm = new Intl.DateTimeFormat(locale, { ...zone, hour: "2-digit", minute: "2-digit" });
    this.dayForm = new Intl.DateTimeFormat(locale, { ...zone, weekday: "short", day: "numeric", month: "long" });
    this.form?.addEventListener("submit", (event) => this.submit(event));
    for (const button of element.querySelectorAll("[data-file]")) {
      button.addEventListener("click", () => {
        element.querySelector(".attach").open = false;
        act("attach", { phone: this.name, kind: button.dataset.file });
      });
    }
    this.offset = 0;
    setInterval(() => this.showTime(), 5000);
  }

  submit(event) {
    event.preventDefault();
    const input = this.form.elements.text;
    const text = input.value.trim();
    if (!text) return;
    input.value = "";
    this.write(text);
  }

  write(text) {
    return this.act("write", { phone: this.name, text });
  }

  /** Take it in hand, with a text that is only to be sent. */
  focus(text = "") {
    if (!this.form) return;
    const input = this.form.elements.text;
    input.value = text || input.value;
    input.focus({ preventScroll: true });
  }

  /** Show a message; a fresh one may move into sight. */
  message(message, fresh) {
    if (this.messages.has(message.key)) return;
    this.element.querySelector(".empty")?.remove();
    const at = new Date(message.at);
    const day = this.dayForm.format(at);
    if (day !== this.day) this.list.append(make("li", "day", day));
    this.day = day;
    const item = make("li", `${message.mine ? "own" : ""} ${fresh ? "fresh" : ""}`.trim());
    const bubble = make("div", "bubble");
    if (message.file) this.showFile(bubble, message);
    else this.showText(bubble, message.text);
    const meta = make("span", "meta", this.timeForm.format(at));
    bubble.append(meta);
    item.append(bubble);
    if (message.buttons.length) item.append(this.buttons(message));
    this.list.append(item);
    this.messages.set(message.key, { message, item, meta });
    if (message.status) this.status({ key: message.key, status: message.status });
    this.toEnd();
    if (!message.mine && this.name === "whatsapp") this.watchReading(message.key, item);
  }

  showText(bubble, text) {
    let end = 0;
    for (const found of text.matchAll(LINK)) {
      bubble.append(text.slice(end, found.index));
      end = found.index + found[0].length;
      const { bot, number, page } = found.groups;
      if (page) {
        const link = make("a", "", page);
        Object.assign(link, { href: page, target: "_blank", rel: "noopener" });
        bubble.append(link);
        continue;
      }
      const ours = bot ? bot === this.given.bot : number === this.given.whatsapp;
      bubble.append(ours ? this.link(found) : found[0]);
    }
    bubble.append(text.slice(end));
  }

  link(found) {
    const link = make("a", "deep-link", found[0]);
    link.href = found[0];
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const { token, text } = found.groups;
      document.dispatchEvent(new CustomEvent("simulator:open", {
        detail: token ? { phone: "telegram", start: token } : { phone: "whatsapp", text: decodeURIComponent(text) },
      }));
    });
    return link;
  }

  showFile(bubble, message) {
    const file = make("span", "file");
    file.append(icon("paper", this.given.words[message.file_kind]), message.file);
    bubble.append(file);
  }

  buttons(message) {
    const group = make("div", "buttons");
    for (const { id, title } of message.buttons) {
      const button = make("button", "", title);
      button.type = "button";
      button.dataset.button = id;
      button.addEventListener("click", () =>
        this.act("press", { phone: this.name, message: message.key, button: id }));
      group.append(button);
    }
    return group;
  }

  /** Mark a button that was pressed; returns what it says. */
  pressed({ key, button }) {
    const pressed = this.messages.get(key)?.item.querySelector(`[data-button="${CSS.escape(button)}"]`);
    pressed?.setAttribute("aria-pressed", "true");
    return pressed?.textContent;
  }

  /** Ticks move forward only. */
  status({ key, status }) {
    const shown = this.messages.get(key);
    const order = ["sent", "delivered", "read"];
    if (!shown || order.indexOf(status) <= order.indexOf(shown.status)) return;
    shown.status = status;
    shown.meta.querySelector("svg")?.remove();
    const label = this.given.words[`tick_${status}`];
    shown.meta.append(icon(status === "sent" ? "tick" : "ticks", label, status));
  }

  typing(on) {
    this.element.querySelector(".dots").hidden = !on;
    this.element.querySelector(".typing").hidden = !on;
    this.element.querySelector(".where").hidden = on;
    if (on) this.toEnd();
  }

  clock(offset) {
    this.offset = offset;
    this.showTime();
  }

  showTime() {
    const now = new Date(Date.now() + this.offset * 1000);
    this.element.querySelector(".bar-time").textContent = this.timeForm.format(now);
  }

  toEnd() {
    this.talk.scrollTop = this.talk.scrollHeight;
  }

  /** What this customer may write next, on the phone in their hand. */
  inHand(here) {
    if (!this.might) return;
    const left = this.given.lines.filter((line) => !this.given.used.has(line));
    this.might.hidden = !here || !left.length;
    if (this.might.hidden) return;
    this.might.querySelector(".lines").replaceChildren(
      ...left.slice(0, SUGGESTED_MAX).map((line) => {
        const button = make("button", "", line);
        button.type = "button";
        button.addEventListener("click", () => this.write(line));
        return button;
      }),
    );
  }

  /** A message counts as read when it has been in sight for a moment. */
  watchReading(key, item) {
    const observer = new IntersectionObserver(([seen]) => {
      if (!seen.isIntersecting || document.hidden) return;
      observer.disconnect();
      setTimeout(() => {
        if (this.messages.get(key).status !== "read") this.act("read", { phone: this.name, message: key });
      }, 700);
    }, { threshold: 0.6 });
    observer.observe(item);
  }
}
