// What pages do beyond HTML and htmx. Every listener sits on the document, so
// that it also serves what htmx swaps in. No page needs any of this.
(function () {
  "use strict";

  // Copy buttons: <button data-copy="text">, told to screen readers in #announcer.

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy]");
    if (!button) return;
    copy(button.dataset.copy).then(function () {
      button.dataset.copied = "";
      announce("Copied");
      setTimeout(function () {
        delete button.dataset.copied;
      }, 2000);
    }, function () {
      announce("Copying did not work. Select the text instead.");
    });
  });

  function copy(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    var area = document.createElement("textarea"); // plain http on a local network
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    var copied = document.execCommand("copy");
    area.remove();
    return copied ? Promise.resolve() : Promise.reject(new Error("not copied"));
  }

  function announce(text) {
    var announcer = document.getElementById("announcer");
    if (!announcer) return;
    announcer.textContent = "";
    setTimeout(function () {
      announcer.textContent = text;
    }, 50);
  }

  // Menus close on Escape, and when something else is pressed or takes the focus.

  function closeMenus(unless) {
    document.querySelectorAll(".menu[open]").forEach(function (menu) {
      if (!unless || !menu.contains(unless)) menu.open = false;
    });
  }

  document.addEventListener("click", function (event) {
    closeMenus(event.target);
  });

  document.addEventListener("focusin", function (event) {
    closeMenus(event.target);
  });

  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    var menu = event.target.closest(".menu[open]");
    closeMenus();
    if (menu) menu.querySelector("summary").focus();
  });

  // Theme switch: radio buttons named "theme", kept on this device.

  function showTheme() {
    var theme = document.documentElement.dataset.theme || "system";
    document.querySelectorAll("input[name=theme]").forEach(function (radio) {
      radio.checked = radio.value === theme;
    });
  }

  document.addEventListener("change", function (event) {
    if (!event.target.matches("input[name=theme]")) return;
    var theme = event.target.value;
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem("pochi.theme", theme);
    } catch (e) {
      // Storage is off: the choice lasts as long as the page.
    }
  });

  // Forms are sent once: a second click while the answer is on its way does
  // nothing. Buttons are not disabled, which would drop the clicked one's value.

  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (event.defaultPrevented) return;
    if ("sent" in form.dataset) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "";
    setTimeout(function () {
      delete form.dataset.sent;
    }, 10000);
  });

  // Error summaries take the focus, on load and after a swap.

  function focusErrors(root) {
    var summary = root.querySelector("[data-error-summary]");
    if (summary) summary.focus();
  }

  document.addEventListener("htmx:after:swap", function (event) {
    focusErrors(event.target);
    startCountdowns();
  });

  // htmx picks a part out of an answer (hx-select). An answer without that part
  // is another page, such as log-in: don't swap nothing in. Where it matters
  // (data-reload) go and see that page.

  document.addEventListener("htmx:before:swap", function (event) {
    var ctx = event.detail.ctx;
    if (!ctx.select || ctx.swap === "none") return;
    var empty = event.detail.tasks.every(function (task) {
      return task.fragment.childNodes.length === 0;
    });
    if (!empty) return;
    event.preventDefault();
    if (ctx.sourceElement.hasAttribute("data-reload")) {
      location.reload();
      return;
    }
    var place = document.querySelector(ctx.select); // what it says was true of the last answer
    place.replaceChildren();
    if (new URL(ctx.response.raw.url).pathname === "/login") place.append(logInAgain(ctx.sourceElement.form));
  });

  // Live parts of a page (data-live) ask for themselves every two seconds: not
  // while nobody looks, at once when somebody looks again, and with the version
  // that is shown, so that mostly nothing comes back. Money that has come in since
  // is told to screen readers, each line once.

  var versions = new WeakMap();
  var told = new WeakMap(); // the ids of the lines that were there

  function isLive(event) {
    return event.detail.ctx.sourceElement.hasAttribute("data-live");
  }

  document.addEventListener("htmx:before:request", function (event) {
    if (!isLive(event)) return;
    var ctx = event.detail.ctx;
    var version = versions.get(ctx.sourceElement);
    if (document.hidden) event.preventDefault();
    else if (version) ctx.request.headers["If-None-Match"] = version;
  });

  document.addEventListener("htmx:after:request", function (event) {
    if (!isLive(event)) return;
    var ctx = event.detail.ctx;
    var version = ctx.response.headers.get("ETag");
    if (version) versions.set(ctx.sourceElement, version);
  });

  document.addEventListener("visibilitychange", function () {
    if (document.hidden) return;
    document.querySelectorAll("[data-live]").forEach(function (part) {
      htmx.trigger(part, "every");
    });
  });

  function linesOf(part) {
    return Array.from(part.querySelectorAll(".history > li"));
  }

  function tellNews(part) {
    var before = told.get(part);
    var lines = linesOf(part);
    told.set(part, new Set(lines.map(function (line) { return line.id; })));
    if (!before) return;
    var news = lines.filter(function (line) {
      return !before.has(line.id) && line.querySelector(".money-in");
    });
    if (news.length > 0) announce(news.map(function (line) {
      return line.querySelector(".money").textContent + " " + line.querySelector(".row-title").textContent;
    }).join(". "));
  }

  document.querySelectorAll("[data-live]").forEach(tellNews);

  document.addEventListener("htmx:after:swap", function () {
    document.querySelectorAll("[data-live]").forEach(tellNews);
  });

  // The session has ended while a form was filled in: log-in leads back to the
  // form as it is.

  function logInAgain(form) {
    var typed = new URLSearchParams(new FormData(form));
    typed.delete("csrf_token");
    var link = document.createElement("a");
    link.href = "/login?" + new URLSearchParams({ next: location.pathname + "?" + typed });
    link.textContent = "Log in again";
    var text = document.createElement("span");
    text.append("You are logged out. ", link, ".");
    var line = document.createElement("p");
    line.className = "payee payee-note";
    line.append(text);
    return line;
  }

  // Countdown: <span data-countdown="seconds left">. At zero the page is asked
  // for again, since what it offers is no longer true.

  function startCountdowns() {
    document.querySelectorAll("[data-countdown]").forEach(function (place) {
      var end = Date.now() + Number(place.dataset.countdown) * 1000;
      place.removeAttribute("data-countdown");
      tick();
      function tick() {
        if (!place.isConnected) return;
        var left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
        var seconds = left % 60;
        place.textContent = Math.floor(left / 60) + ":" + (seconds < 10 ? "0" : "") + seconds;
        if (left === 0) location.reload();
        else setTimeout(tick, 250);
      }
    });
  }

  // A page that comes back from the browser's memory starts afresh.

  window.addEventListener("pageshow", function (event) {
    document.querySelectorAll("form[data-sent]").forEach(function (form) {
      delete form.dataset.sent;
    });
    showTheme();
    if (!event.persisted) return;
    if (document.querySelector("[data-stale]")) location.reload();
  });

  showTheme();
  focusErrors(document);
  startCountdowns();
})();
