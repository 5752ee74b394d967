#include "report.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "crossfix/core/error.hpp"
#include "crossfix/io/atomic_file.hpp"
#include "error_map.hpp"
#include "figures.hpp"
#include "markup.hpp"
#include "style.hpp"
#include "tables.hpp"

namespace crossfix::report {

namespace {

/// The warnings of the data set, and one for each kind of value that the charts leave out.
std::vector<std::string> all_warnings(const Report& report) {
  std::vector<std::string> warnings = report.dataset.warnings;
  const auto lacking = [&](std::size_t count, const std::string& what) {
    if (count == 0) return;
    warnings.push_back("The charts leave out " + readable(static_cast<double>(count), 0) + what);
  };
  lacking(report.measurements.size() - drawable_errors(report).size(),
          " of the samples, whose error is not a finite number of metres.");
  lacking(undrawn_points(report), " of the curves' points, which are not finite.");
  return warnings;
}

void write_head(Markup& out, const Report& report) {
  out.open("head")
      .leaf("meta", {{"charset", "utf-8"}})
      .leaf("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}})
      .element("title", report.title)
      .open("style")
      .nested(style_sheet())
      .close()
      .close()
      .line_break();
}

/// Sections, each with an entry in the list of contents.
class Sections {
 public:
  void add(std::string id, std::string title, std::string content) {
    if (content.empty()) return;
    sections_.push_back({std::move(id), std::move(title), std::move(content)});
  }
  void write_contents(Markup& out) const {
    out.open("nav");
    for (const Section& section : sections_) {
      out.element("a", section.title, {{"href", "#" + section.id}}).text(" ");
    }
    out.close().line_break();
  }
  void write(Markup& out) const {
    for (const Section& section : sections_) {
      out.open("section", {{"id", section.id}}).element("h2", section.title);
      out.nested(section.content).close().line_break();
    }
  }

 private:
  struct Section {
    std::string id;
    std::string title;
    std::string content;
  };
  std::vector<Section> sections_;
};

/// Figures side by side, without those that show nothing.
std::string figures_markup(const std::vector<FigureText>& figures, const std::string& layout) {
  const bool any = std::any_of(figures.begin(), figures.end(),
                               [](const FigureText& figure) { return !figure.svg.empty(); });
  if (!any) return {};
  Markup out;
  out.open("div", {{"class", layout}}).line_break();
  for (const FigureText& figure : figures) {
    if (figure.svg.empty()) continue;
    out.open("figure")
        .nested(figure.svg)
        .element("figcaption", figure.caption)
        .close()
        .line_break();
  }
  return out.close().line_break().take();
}

void write_pictures(Markup& out, const std::vector<Picture>& pictures) {
  out.open("div", {{"class", "pictures"}});
  for (const Picture& picture : pictures) {
    // Widths in proportion to those of the pictures make all equally high.
    const double aspect =
        static_cast<double>(picture.width()) / static_cast<double>(picture.height());
    out.open("figure", {{"style", "flex: " + coordinate(aspect, 4) + " 1 0"}})
        .leaf("img", {{"src", picture.data_uri()},
                      {"alt", picture.caption()},
                      {"width", std::to_string(picture.width())},
                      {"height", std::to_string(picture.height())}})
        .element("figcaption", picture.caption())
        .close();
  }
  out.close();
}

std::string pairs_markup(const std::vector<ShownPair>& pairs, const std::string& note) {
  if (pairs.empty()) return {};
  Markup out;
  if (!note.empty()) out.element("p", note, {{"class", "note"}});
  std::size_t rank = 0;
  for (const ShownPair& pair : pairs) {
    out.open("article", {{"class", "pair"}})
        .element("h4", std::to_string(++rank) + ". " + pair.title)
        .open("p")
        .element("b", "error " + readable(pair.error_m, 2) + " m")
        .text(", radius " + readable(pair.radius68_m, 2) + " m");
    for (const NamedText& fact : pair.facts) out.text(" · " + fact.name + " " + fact.text);
    out.close();
    write_pictures(out, pair.pictures);
    out.close().line_break();
  }
  return out.take();
}

std::string maps_markup(const Report& report) {
  const std::string maps = figures_markup(map_figures(report), "maps");
  return maps.empty() ? maps : error_key() + maps;
}

std::string tables_markup(const std::vector<Table>& tables) {
  return std::accumulate(
      tables.begin(), tables.end(), std::string(),
      [](std::string all, const Table& table) { return std::move(all) + table_markup(table); });
}

Sections sections_of(const Report& report) {
  Sections sections;
  sections.add("results", "Results", tables_markup(report.tables));
  sections.add("errors", "Errors",
               figures_markup({cumulative_figure(report), histogram_figure(report)}, "grid"));
  std::string uncertainty = figures_markup({reliability_figure(report), groups_figure(report),
                                            risk_figure(report), nowhere_figure(report)},
                                           "grid");
  const Table groups = groups_table(report);
  if (!groups.rows.empty()) uncertainty += table_markup(groups);
  sections.add("uncertainty", "Uncertainty", std::move(uncertainty));
  sections.add("maps", "Maps of errors", maps_markup(report));
  sections.add("best", "Best pairs", pairs_markup(report.best, report.pairs_note));
  sections.add("worst", "Worst pairs", pairs_markup(report.worst, report.pairs_note));
  sections.add("counts", "Counts", counts_markup(report.counts));
  sections.add("settings", "Settings", texts_markup(report.settings));
  sections.add("definitions", "How the figures are defined", texts_markup(report.definitions));
  return sections;
}

}  // namespace

std::string render(const Report& report) {
  const Sections sections = sections_of(report);
  Markup out;
  out.open("html", {{"lang", "en"}}).line_break();
  write_head(out, report);
  out.open("body").open("main").line_break().element("h1", report.title);
  if (!report.summary.empty()) out.element("p", report.summary);
  out.line_break();
  const std::vector<std::string> warnings = all_warnings(report);
  if (!warnings.empty()) {
    out.open("ul", {{"class", "warnings"}, {"aria-label", "Warnings"}});
    for (const std::string& warning : warnings) out.element("li", warning);
    out.close().line_break();
  }
  sections.write_contents(out);
  if (report.measurements.empty()) {
    out.element("p", "No sample was evaluated, so there are no errors to draw.").line_break();
  }
  sections.write(out);
  out.close().close().line_break().close();
  return "<!DOCTYPE html>\n" + out.take() + "\n";
}

void write(const std::filesystem::path& path, const Report& report) {
  const std::string text = render(report);
  io::AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace crossfix::report
