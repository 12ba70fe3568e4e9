// Parts of a page fetched anew: a preview while somebody types, a report while a file is read.
// Without this script a button and a link do the same.
(() => {
  const WAIT = 350;
  for (const form of document.querySelectorAll("form[data-preview]")) {
    const shown = document.getElementById(form.dataset.into);
    let waiting = 0;
    let asked = 0;
    async function fetched() {
      const mine = ++asked;
      shown.setAttribute("aria-busy", "true");
      try {
        const given = new FormData(form);
        given.set("fragment", "1");
        const answer = await fetch(form.dataset.preview, { method: "POST", body: new URLSearchParams(given) });
        if (answer.ok && mine === asked) shown.innerHTML = await answer.text();
      } catch {
        // The button beside it still works.
      }
      if (mine === asked) shown.removeAttribute("aria-busy");
    }
    form.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(fetched, WAIT);
    });
  }
  const running = document.querySelector("[data-progress]");
  if (running) {
    const look = async () => {
      try {
        const answer = await fetch(running.dataset.progress);
        if (answer.ok) {
          const text = await answer.text();
          if (answer.headers.get("X-Finished") === "yes") return location.reload();
          if (text !== running.innerHTML) running.innerHTML = text;
        }
      } catch {
        // Asked again below.
      }
      setTimeout(look, 1000);
    };
    setTimeout(look, 1000);
  }
})();
