// Runs before the first paint: applies the colour theme that was chosen here
// and tells the style sheet that there is JavaScript. Everything else is app.js.
(function () {
  "use strict";
  var root = document.documentElement;
  root.dataset.js = "";
  try {
    var theme = localStorage.getItem("pochi.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch (e) {
    // Storage is off: the system's theme stays.
  }
})();
