// Three small comforts; every page works without them: a part of a page that follows what runs, buttons that copy, and
// policies that follow the form.
(function () {
  "use strict";

  function announce(text) {
    document.getElementById("announce").textContent = text;
  }

  // Buttons that copy.
  function showCopyButtons(root) {
    root.querySelectorAll("[data-copy]").forEach(function (b) { b.hidden = !navigator.clipboard; });
  }
  document.addEventListener("click", function (e) {
    var b = e.target.closest("[data-copy]");
    if (!b) return;
    navigator.clipboard.writeText(b.dataset.copy).then(function () {
      var label = b.textContent;
      if (b.classList.contains("copied")) return;
      b.classList.add("copied");
      b.textContent = "Copied";
      announce("Copied.");
      setTimeout(function () { b.classList.remove("copied"); b.textContent = label; }, 1500);
    });
  });
  showCopyButtons(document);

  // The part of a page that follows what runs, while the page can be seen.
  var pause = 2000;
  function replace(live, html) {
    var next = new DOMParser().parseFromString(html, "text/html").getElementById("live");
    if (!next) return live;
    var focus = live.contains(document.activeElement) && document.activeElement.id;
    live.querySelectorAll("details[id]").forEach(function (d) {
      var twin = next.querySelector("#" + d.id);
      if (twin) twin.open = d.open;
    });
    var told = live.dataset.tell;
    live.replaceWith(next);
    showCopyButtons(next);
    if (focus && document.getElementById(focus)) document.getElementById(focus).focus({ preventScroll: true });
    if (next.dataset.tell !== told) announce(next.dataset.tell);
    return next;
  }
  function follow() {
    var live = document.querySelector("[data-live]");
    if (!live || live.dataset.running !== "true") return;
    if (document.hidden) {
      document.addEventListener("visibilitychange", follow, { once: true });
      return;
    }
    fetch(location.href, { headers: { "X-Tarn-Fragment": "live" }, credentials: "same-origin", redirect: "error" }).then(function (r) {
      if (r.status === 401) { location.reload(); return Promise.reject(); }
      return r.ok ? r.text() : "";
    }).then(function (html) {
      pause = html ? 2000 : Math.min(pause * 2, 30000);
      if (html) replace(live, html);
      setTimeout(follow, pause);
    }, function () {
      pause = Math.min(pause * 2, 30000);
      setTimeout(follow, pause);
    });
  }
  setTimeout(follow, 700);

  // Policies that follow the form.
  var form = document.querySelector("form[data-policies]");
  if (form) {
    var timer, turn = 0;
    form.addEventListener("input", function () {
      clearTimeout(timer);
      timer = setTimeout(function () {
        var mine = ++turn;
        fetch(form.dataset.policies, { method: "POST", body: new FormData(form), headers: { "X-Tarn-Fragment": "policies" }, credentials: "same-origin" })
          .then(function (r) { return r.ok ? r.text() : ""; })
          .then(function (html) { if (html && mine === turn) document.getElementById("policies").innerHTML = html; }, function () {});
      }, 200);
    });
  }
})();
