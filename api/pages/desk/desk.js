// The desk's script: what is new comes in live, forms go out without a reload, keys before the mouse.
// Every part works without it too. No library, no build; the only state is what the page shows.
(() => {
  "use strict";
  const $ = (selector, of = document) => of.querySelector(selector);
  const all = (selector, of = document) => [...of.querySelectorAll(selector)];
  const desk = $("#desk");
  const lists = () => all("[data-refresh]");
  const words = $("#live")?.dataset ?? {};
  const title = document.title;
  const tell = (text) => { const told = $("#told"); if (told) told.textContent = text; };

  // --- what is new: one stream for all windows, each asks for itself ------------------------------
  const RETRY_MILLISECONDS = 500;
  const RETRY_MILLISECONDS_MAX = 30_000;
  const windows = "BroadcastChannel" in self ? new BroadcastChannel("kulanz-desk") : null;
  let state = "";

  function hear(news) {
    if (news.state) state = news.state;
    const live = $("#live");
    if (news.state && live) live.textContent = words[news.state] ?? "";
    if (news.look) look();
    const { changed = [], message = [], presence = [] } = news.ids ?? {};
    const here = Number(desk?.dataset.conversation);
    if (changed.includes(here) || message.includes(here)) live_.soon();
    if (changed.includes(here)) parts_.soon();
    else if (message.includes(here)) partsLater();
    if (presence.includes(here)) sayHere();
    if (changed.length || message.length) refreshLists();
  }

  /** Hear it here and in the other windows. */
  function spread(news) {
    hear(news);
    windows?.postMessage(news);
  }

  function look() {
    live_.soon();
    parts_.soon();
    refreshLists();
  }

  /** Hold the stream until the session ends, then `over`; after a break again, each time later. */
  function connect(over, tries = 0) {
    const source = new EventSource("/console/desk/events");
    source.addEventListener("ready", () => { tries = 0; spread({ state: "on", look: true }); });
    source.addEventListener("changed", (event) => spread({ ids: JSON.parse(event.data) }));
    source.addEventListener("ended", () => { source.close(); spread({ state: "ended" }); over(); });
    source.addEventListener("error", () => {
      source.close();
      spread({ state: "off", look: true });
      const wait = Math.min(RETRY_MILLISECONDS * 2 ** tries, RETRY_MILLISECONDS_MAX);
      setTimeout(() => connect(over, tries + 1), wait * (0.5 + Math.random()));
    });
  }

  function listen() {
    if (!windows || !navigator.locks) return connect(() => {});
    windows.onmessage = ({ data }) => {
      if (!data.asks) hear(data);
      else if (state && state !== "ended") windows.postMessage({ state });
    };
    windows.postMessage({ asks: true });
    // Browsers open few connections to one place: of all windows only one holds the stream. When
    // the session has ended it is for a window that is opened after signing in anew.
    navigator.locks.request("kulanz-desk-stream", () =>
      state === "ended" ? undefined : new Promise((over) => connect(over)));
    look();
  }

  // --- fetching anew: one request at a time, and one more where news came meanwhile ---------------
  function fetching(work, pause = 0) {
    let running = false, again = false;
    async function run() {
      running = true;
      do {
        again = false;
        try { await work(); } catch { /* the next event or connecting asks again */ }
        if (pause) await new Promise((done) => setTimeout(done, pause));
      } while (again);
      running = false;
    }
    return { soon: () => { if (running) again = true; else run(); } };
  }

  const live_ = fetching(async () => {
    if (!desk) return;
    const address = new URL(desk.dataset.live, location.href);
    address.searchParams.set("after", lastNumber());
    const answer = await fetch(address);
    if (answer.redirected) return hear({ state: "ended" });
    if (answer.ok) merge(parsed(await answer.text()));
  });

  const PARTS_MILLISECONDS = 500;
  const parts_ = fetching(async () => {
    if (!desk) return;
    clearTimeout(later_);
    later_ = null;
    const answer = await fetch(desk.dataset.parts);
    if (answer.redirected) return hear({ state: "ended" });
    if (answer.ok) merge(parsed(await answer.text()));
  }, PARTS_MILLISECONDS);

  /** A new message alone changes little beside it: that waits for a quiet moment. */
  const QUIET_MILLISECONDS = 5_000;
  let later_ = null;
  function partsLater() {
    later_ ??= setTimeout(() => { later_ = null; parts_.soon(); }, QUIET_MILLISECONDS);
  }

  const lists_ = fetching(async () => {
    for (const list of lists()) {
      const answer = await fetch(list.dataset.refresh);
      if (answer.redirected) return hear({ state: "ended" });
      if (answer.ok) swapList(list, parsed(await answer.text()));
    }
  }, 300);
  const refreshLists = () => { if (lists().length) lists_.soon(); };

  const parsed = (html) => new DOMParser().parseFromString(html, "text/html");

  // --- putting in what came, keeping what is being done -------------------------------------------
  const shown = new Map(all("[data-part]").map((part) => [part.id, part.innerHTML]));

  function merge(fresh) {
    const grown = mergeLines(fresh);
    for (const part of all("[data-part]")) {
      const now = fresh.getElementById(part.id);
      if (!now) { if (part.id === "no-lines" && $("#talk li")) part.remove(); continue; }
      if (shown.get(part.id) === now.innerHTML) continue;
      // What is under way brings the part's next version itself; until then its form stays.
      if ($("form[data-busy]", part)) continue;
      shown.set(part.id, now.innerHTML);
      part.className = now.className;
      swap(part, now);
    }
    if (grown) unread(grown);
    ready();
  }

  const nearEnd = (talk) => talk.scrollHeight - talk.scrollTop - talk.clientHeight < 80;

  function mergeLines(fresh) {
    const talk = $("#talk"), news = fresh.getElementById("talk");
    if (!talk || !news) return 0;
    const atEnd = nearEnd(talk);
    let grown = 0, inbound = 0;
    for (const line of [...news.children]) {
      const old = document.getElementById(line.id);
      if (!old) { talk.append(line); grown++; inbound += "inbound" in line.dataset ? 1 : 0; }
      else if (old.outerHTML !== line.outerHTML && !old.contains(document.activeElement)) old.replaceWith(line);
    }
    if (grown && atEnd) talk.scrollTop = talk.scrollHeight;
    return inbound;
  }

  const lastNumber = () => Math.max(0, ...all("#talk [data-number]").map((line) => Number(line.dataset.number)));

  /** A name for an element that it has in the next version of its part as well. */
  function nameOf(element) {
    if (element.id) return element.id;
    const form = element.closest("form");
    const fixed = form ? all("[type=hidden]", form).filter((one) => ["claim", "kind", "message", "count", "first", "offer"].includes(one.name)) : [];
    const of = form ? [form.getAttribute("action"), ...fixed.map((one) => one.value)].join("|") : "";
    return `${of}#${element.tagName}#${element.name ?? ""}#${"value" in element && element.type !== "submit" ? "" : element.textContent.trim()}#${element.type === "submit" ? element.value : ""}`;
  }

  const FIELDS = "input:not([type=hidden]), textarea, select";

  /** Replace the inside; what was typed, opened and focused stays. */
  function swap(part, now) {
    const typed = new Map();
    for (const field of all(FIELDS, part)) {
      if (field.type === "checkbox" ? field.checked !== field.defaultChecked : changedByHand(field))
        typed.set(nameOf(field), field.type === "checkbox" ? field.checked : field.value);
    }
    const opened = all("details[open]", part).map((one) => one.id);
    const active = part.contains(document.activeElement) ? document.activeElement : null;
    const focus = active && { name: nameOf(active), start: active.selectionStart, end: active.selectionEnd };
    part.replaceChildren(...now.childNodes);
    for (const id of opened) if (id && document.getElementById(id)) document.getElementById(id).open = true;
    for (const field of all(FIELDS, part)) {
      const kept = typed.get(nameOf(field));
      if (kept === undefined) continue;
      if (field.type === "checkbox") field.checked = kept; else field.value = kept;
    }
    if (!focus) return;
    const again = all(`a, button, summary, ${FIELDS}`, part).find((one) => nameOf(one) === focus.name);
    again?.focus({ preventScroll: true });
    if (again?.tagName === "TEXTAREA") again.setSelectionRange(focus.start, focus.end);
  }

  function changedByHand(field) {
    if (field.tagName === "SELECT") return all("option", field).some((one) => one.selected !== one.defaultSelected) && field.selectedIndex > 0;
    return field.value !== field.defaultValue;
  }

  function swapList(list, fresh) {
    const now = (list.id && fresh.getElementById(list.id)) || fresh.body;
    if (now.dataset?.waiting !== undefined) list.dataset.waiting = now.dataset.waiting;
    const inside = now === fresh.body ? $("[data-waiting]", now) : null;
    if (inside) list.dataset.waiting = inside.dataset.waiting;
    const open = document.activeElement?.closest("[data-row]")?.querySelector("[data-open]")?.href;
    const scroll = list.scrollTop, before = Number(title_.waiting);
    if (shown.get(list) !== now.innerHTML) {
      shown.set(list, now.innerHTML);
      swap(list, now);
      list.scrollTop = scroll;
      if (open && document.activeElement === document.body) all("[data-open]", list).find((one) => one.href === open)?.focus({ preventScroll: true });
    }
    title_.show();
    if (title_.waiting > before) notify();
  }

  // --- the title's count, and notifications where they were asked for ------------------------------
  const title_ = {
    unread: 0,
    waiting: 0,
    show() {
      this.waiting = all("[data-waiting]").filter((one) => !one.parentElement.closest("[data-waiting]")).reduce((sum, one) => sum + Number(one.dataset.waiting || 0), 0);
      const count = this.unread + this.waiting;
      document.title = count ? `(${count}) ${title}` : title;
    },
  };

  function unread(count) {
    if (!document.hidden) return;
    title_.unread += count;
    title_.show();
    notify();
  }

  function notify() {
    if (!document.hidden || !("Notification" in self) || Notification.permission !== "granted") return;
    new Notification($("[data-notify]")?.dataset.text ?? title, { tag: "kulanz-desk" });
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    title_.unread = 0;
    title_.show();
  });

  // --- forms: sent once, the page's parts come back with the answer --------------------------------
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.action.includes("/console/logout")) return forgetDrafts();
    if (!("form" in form.dataset)) return;
    event.preventDefault();
    if (form.dataset.busy) return;
    form.dataset.busy = "1";
    const body = new URLSearchParams(new FormData(form));
    const by = event.submitter;
    if (by?.name) body.set(by.name, by.value);
    if (by) by.disabled = true;
    const texts = all("textarea", form);
    try {
      const answer = await fetch(form.action, { method: "POST", body });
      if (answer.url.includes("/console/sign-in")) { hear({ state: "ended" }); return; }
      if (answer.status >= 500) throw new Error(answer.statusText);
      const fresh = parsed(await answer.text());
      if (answer.ok) {
        form.reset();
        for (const field of texts) { field.value = ""; field.defaultValue = ""; forgetDraft(field); }
      }
      if (!fresh.getElementById("desk")) { tell($("h1", fresh)?.textContent ?? ""); return; }
      const told = fresh.getElementById("told");
      if (told) $("#told").replaceChildren(...told.childNodes);
      all("[data-part]").forEach((part) => shown.delete(part.id));
      delete form.dataset.busy;
      merge(fresh);
      seen_ = lastNumber();
      ready();
      if (answer.ok && "reply" in form.dataset) $("#text")?.focus();
      else $("[data-part] .alert")?.scrollIntoView({ block: "nearest" });
      writing_ = false;
      sayHere();
    } catch {
      tell(words.failed ?? "");
      parts_.soon(); // what came meanwhile
    } finally {
      delete form.dataset.busy;
      if (by) by.disabled = false;
    }
  });

  // --- writing: limits, shortcuts, drafts ----------------------------------------------------------
  const DRAFTS = "kulanz-draft:";
  const DRAFT_DAYS = 3;
  const draftOf = (field) => `${DRAFTS}${location.pathname}:${field.id}`;

  function keepDraft(field) {
    if (!field.value) return forgetDraft(field);
    try { localStorage.setItem(draftOf(field), JSON.stringify({ text: field.value, at: Date.now() })); } catch { /* full or forbidden */ }
  }
  const forgetDraft = (field) => { try { localStorage.removeItem(draftOf(field)); } catch { /* forbidden */ } };

  function forgetDrafts(olderThan = Infinity) {
    try {
      for (const key of Object.keys(localStorage).filter((one) => one.startsWith(DRAFTS))) {
        const { at } = JSON.parse(localStorage.getItem(key));
        if (Date.now() - at > olderThan || olderThan === Infinity) localStorage.removeItem(key);
      }
    } catch { /* forbidden */ }
  }

  function recallDrafts() {
    for (const field of all("textarea[id]")) {
      if (field.value || field.dataset.recalled) continue;
      field.dataset.recalled = "1";
      try { field.value = JSON.parse(localStorage.getItem(draftOf(field)))?.text ?? ""; } catch { /* forbidden */ }
    }
  }

  /** How many SMS a text is, and how many characters are left in the last: 3GPP TS 23.038. */
  function counted(text, basic, double) {
    const gsm = [...text].every((one) => basic.includes(one) || double.includes(one));
    const [single, part] = gsm ? [160, 153] : [70, 67];
    const widths = [...text].map((one) => (gsm ? (double.includes(one) ? 2 : 1) : one.length));
    const sum = widths.reduce((all, one) => all + one, 0);
    if (sum <= single) return { parts: 1, left: single - sum, gsm };
    let parts = 1, used = 0;
    for (const width of widths) {
      if (used + width > part) { parts++; used = 0; }
      used += width;
    }
    return { parts, left: part - used, gsm };
  }

  function count() {
    const field = $("#text"), place = $("#count");
    if (!field || !place || !field.value) return;
    const { gsm7, gsm7Double, parts: pattern, unicode, left } = field.dataset;
    if (gsm7 === undefined) {
      place.textContent = left.replace("{left}", field.maxLength - field.value.length);
      return;
    }
    const found = counted(field.value, gsm7, gsm7Double);
    const said = pattern.replace("{parts}", found.parts).replace("{left}", found.left);
    place.textContent = found.gsm ? said : `${said}. ${unicode}`;
  }

  function insert(text) {
    const field = $("#text");
    if (!field || field.readOnly) return;
    field.focus();
    field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** A shortcut before the caret becomes its text; true where there was one. */
  function expand(field) {
    const before = field.value.slice(0, field.selectionStart);
    const short = before.match(/(?:^|\s)\/([\p{L}\d-]+)$/u)?.[1].toLowerCase();
    const found = short && all("[data-short]").find((one) => one.dataset.short === short);
    if (!found) return false;
    if (found.dataset.refused) { $("#count").textContent = found.dataset.refused; return true; }
    field.setSelectionRange(before.length - short.length - 1, before.length);
    insert(found.dataset.text);
    return true;
  }

  document.addEventListener("input", ({ target }) => {
    if (target.tagName === "TEXTAREA" && target.id) keepDraft(target);
    if (target.id !== "text") return;
    count();
    typing();
  });

  // --- who is here and who writes -------------------------------------------------------------------
  const HERE_MILLISECONDS = 15_000;
  const TYPING_MILLISECONDS = 3_000;
  let writing_ = false, writer_ = "", lost_ = "", said_ = 0, pause_;

  async function sayHere(more = {}) {
    if (!desk) return;
    const body = new URLSearchParams({ csrf: desk.dataset.csrf, ...(writing_ ? { writing: "1" } : {}), ...more });
    try {
      const answer = await fetch(desk.dataset.presence, { method: "POST", body });
      if (!answer.ok || answer.redirected) return;
      const { others, writer } = await answer.json();
      lost_ = writing_ && writer ? writer : writer === lost_ ? lost_ : "";
      writer_ = writer;
      if (writer) writing_ = false;
      const who = $("#who");
      if (who) who.textContent = others.length ? `${desk.dataset.here}: ${others.join(", ")}` : "";
      lock();
    } catch { /* the next time */ }
  }

  function lock() {
    const field = $("#text"), place = $("#lock");
    if (!field || !place) return;
    field.readOnly = Boolean(writer_);
    place.hidden = !writer_;
    const pattern = lost_ ? desk.dataset.taken : desk.dataset.writes;
    $("span", place).textContent = pattern.replace("{name}", writer_);
  }

  function typing() {
    clearTimeout(pause_);
    pause_ = setTimeout(() => { writing_ = false; sayHere(); }, 2 * TYPING_MILLISECONDS);
    if (writing_ && Date.now() - said_ < TYPING_MILLISECONDS) return;
    writing_ = true;
    said_ = Date.now();
    sayHere();
  }

  addEventListener("pagehide", () => {
    if (desk) navigator.sendBeacon(desk.dataset.presence, new URLSearchParams({ csrf: desk.dataset.csrf, leaving: "1" }));
  });

  // --- keys -------------------------------------------------------------------------------------------
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    if ("insert" in button.dataset) insert(button.dataset.insert);
    if ("instead" in button.dataset) { writing_ = true; writer_ = lost_ = ""; lock(); $("#text")?.focus(); sayHere({ writing: "1", instead: "1" }); }
    if ("keys" in button.dataset) showKeys();
    if ("notify" in button.dataset) Notification.requestPermission().then(() => { button.hidden = Notification.permission !== "default"; });
  });

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (target.id === "text" && key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (target.value.trim()) target.form.requestSubmit();
      return;
    }
    if (target.id === "text" && key === "Tab" && !event.shiftKey && expand(target)) return event.preventDefault();
    if (target.matches("input, textarea, select, [contenteditable]")) {
      if (key === "Escape") target.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    if (key === "?") { event.preventDefault(); return showKeys(); }
    if (key === "j" || key === "k") { event.preventDefault(); return walk(key === "j" ? 1 : -1); }
    const pressed = all("[data-key]").find((one) => one.dataset.key === key && one.checkVisibility());
    if (!pressed) return;
    event.preventDefault();
    if (pressed.matches("input, textarea, select")) pressed.focus(); else pressed.click();
  });

  function walk(step) {
    const rows = all("[data-row]");
    const at = rows.indexOf(document.activeElement?.closest("[data-row]"));
    const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1)];
    next?.querySelector("[data-open]")?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }

  function showKeys() {
    const dialog = $("#keys");
    if (!dialog) return;
    all("[data-for]", dialog).forEach((row) => { row.hidden = !$(row.dataset.for); });
    all("[data-own]", dialog).forEach((row) => row.remove());
    for (const one of all("[data-key]").filter((one) => one.checkVisibility())) {
      const row = document.createElement("div"), term = document.createElement("dt"), meaning = document.createElement("dd"), key = document.createElement("kbd");
      row.dataset.own = "";
      key.textContent = one.dataset.key;
      meaning.textContent = one.dataset.name || one.textContent.trim();
      term.append(key);
      row.append(term, meaning);
      $("dl", dialog).append(row);
    }
    dialog.showModal();
  }

  // --- what a writer has seen: a line counts a moment after it is there -------------------------------
  const READ_MILLISECONDS = 1000;
  let seen_ = lastNumber();

  function ready() {
    recallDrafts();
    count();
    lock();
    const seen = $("[data-reply] [name=seen]"), newest = lastNumber();
    if (seen) seen.value = seen_;
    if (newest > seen_) setTimeout(() => {
      seen_ = Math.max(seen_, newest);
      const field = $("[data-reply] [name=seen]");
      if (field) field.value = seen_;
    }, READ_MILLISECONDS);
  }

  if (desk || lists().length) listen();
  if (desk) {
    sayHere();
    setInterval(sayHere, HERE_MILLISECONDS);
    const talk = $("#talk");
    let atEnd = true;
    talk.addEventListener("scroll", () => { atEnd = nearEnd(talk); }, { passive: true });
    new ResizeObserver(() => { if (atEnd) talk.scrollTop = talk.scrollHeight; }).observe(talk);
  }
  forgetDrafts(DRAFT_DAYS * 86_400_000);
  title_.show();
  ready();
  all("[data-keys]").forEach((one) => { one.hidden = false; });
  all("[data-notify]").forEach((one) => { one.hidden = !("Notification" in self) || Notification.permission !== "default"; });
})();
