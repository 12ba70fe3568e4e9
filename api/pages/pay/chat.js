// The chat: sends without leaving the page, and shows what comes. The form alone does it as well.
"use strict";

for (const chat of document.querySelectorAll("[data-chat]")) {
  const log = chat.querySelector("[role=log]");
  const list = log.querySelector("ol");
  const form = chat.querySelector(".write");
  const state = chat.querySelector("[role=status]");
  const problem = chat.querySelector("[role=alert]");
  let last = Number(chat.dataset.chat);
  let sending = false;
  let over = false;
  let looks = 0;
  let timer = 0;

  // The newest message from its beginning, however long it is.
  const toNewest = () => {
    const newest = list.lastElementChild;
    if (newest) log.scrollTop += newest.getBoundingClientRect().top - log.getBoundingClientRect().top;
  };

  const show = (told) => {
    const made = document.createElement("template");
    made.innerHTML = told.items;
    // An answer may have overtaken another: what is there already is not shown twice.
    const fresh = [...made.content.children].filter((item) => !document.getElementById(item.id));
    if (fresh.length) {
      log.tabIndex = 0;
      for (const old of list.querySelectorAll("form")) old.remove();
      list.append(...fresh);
      toNewest();
      looks = 0;
    }
    last = Math.max(last, told.last);
    if (state.textContent !== told.state) state.textContent = told.state;
    // Soon while an answer is due, seldom while nobody writes.
    const pause = told.waits && looks < 40 ? 1000 : told.state && looks < 200 ? 4000 : 15000;
    look(pause);
  };

  const ended = () => {
    over = true;
    state.textContent = "";
    say(form.dataset.over);
  };

  const say = (words) => {
    problem.textContent = words;
    problem.hidden = !words;
  };

  const look = (pause) => {
    clearTimeout(timer);
    if (over || document.hidden) return;
    timer = setTimeout(async () => {
      looks += 1;
      try {
        const answer = await fetch(`/p/chat?script=true&after=${last}`, { credentials: "same-origin" });
        if (answer.status === 403) ended();
        else if (answer.ok) show(await answer.json());
        else look(15000);
      } catch {
        look(Math.min(30000, 2000 * looks));
      }
    }, pause);
  };

  const send = async (given) => {
    if (sending || over) return;
    sending = true;
    given.set("script", "true");
    given.set("after", last);
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: new URLSearchParams(given), credentials: "same-origin",
      });
      if (answer.status === 403) ended();
      else if (!answer.ok) throw new Error(answer.status);
      else {
        const told = await answer.json();
        say(told.problem);
        form.elements.nonce.value = told.nonce;
        if (!told.problem && given.has("words")) form.elements.words.value = "";
        looks = 0;
        show(told);
      }
    } catch {
      // With the same mark as before: if it has arrived after all, it counts once.
      say(form.dataset.lost);
    }
    sending = false;
  };

  chat.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = new FormData(event.target);
    if (event.submitter?.name) given.set(event.submitter.name, event.submitter.value);
    if (event.target !== form) log.focus();
    send(given);
  });
  form.elements.words.addEventListener("keydown", (event) => {
    const sends = event.key === "Enter" && !event.shiftKey && !event.isComposing;
    if (!sends || !matchMedia("(pointer: fine)").matches) return;
    event.preventDefault();
    form.requestSubmit();
  });
  document.addEventListener("visibilitychange", () => look(0));
  toNewest();
  look(state.textContent ? 1000 : 15000);
}
