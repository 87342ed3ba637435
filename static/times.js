// Shows times in the browser's own zone. Pages come with times in UTC, which say
// so, and work with those. This runs while a page is read, before it is painted,
// so that nothing moves; and again for whatever is swapped in.
(function () {
  "use strict";
  var locale = (navigator.languages || []).find(function (name) {
    return /^en\b/i.test(name); // the pages' language
  }) || "en-GB";
  var day = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
  var formats = { // by data-as
    clock: new Intl.DateTimeFormat(locale, { timeStyle: "short" }),
    seconds: new Intl.DateTimeFormat(locale, { timeStyle: "medium" }),
    day: day,
    minute: new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short" }),
    moment: new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "long" })
  };

  function put(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function dayOf(at) {
    var now = new Date();
    var before = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
    var label = day.format(at);
    if (label === day.format(now)) return "Today";
    if (label === day.format(before)) return "Yesterday";
    return label;
  }

  // Each movement has a heading; it is shown where another day begins.
  function showDays(history) {
    var before = "";
    history.querySelectorAll("li").forEach(function (movement) {
      var label = movement.querySelector(".day-label");
      var time = movement.querySelector("time[data-as]");
      if (!label || !time) return; // not read yet
      put(label, dayOf(new Date(time.dateTime)));
      label.hidden = label.textContent === before;
      before = label.textContent;
    });
  }

  function show() {
    document.querySelectorAll("time[data-as]").forEach(function (time) {
      put(time, formats[time.dataset.as].format(new Date(time.dateTime)));
    });
    document.querySelectorAll(".history").forEach(showDays);
  }

  new MutationObserver(show).observe(document, { childList: true, characterData: true, subtree: true });
})();
