// Before anything is laid out: rows are folded only where a script can unfold them, and a table that still grows is
// not laid out again and again.
(({ classList }) => {
  classList.add("js", "growing");
  document.addEventListener("DOMContentLoaded", () => classList.remove("growing"));
})(document.documentElement);
