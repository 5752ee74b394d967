#pragma once

#include <catch2/catch.hpp>
#include <clocale>
#include <string>

namespace crossfix::test {

/// A locale that writes commas for the points of numbers, for as long as this lives. Not every
/// machine has one.
class CommaLocale {
 public:
  CommaLocale() : before_(std::setlocale(LC_ALL, nullptr)) {
    for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8", "pl_PL.UTF-8",
                             "ru_RU.UTF-8", "nl_NL.UTF-8", "es_ES.UTF-8"}) {
      found_ = found_ || std::setlocale(LC_ALL, name) != nullptr;
    }
    if (!found_) WARN("no locale with a comma is installed: numbers are tested in this one alone");
  }
  CommaLocale(const CommaLocale&) = delete;
  CommaLocale& operator=(const CommaLocale&) = delete;
  ~CommaLocale() { std::setlocale(LC_ALL, before_.c_str()); }

 private:
  std::string before_;
  bool found_ = false;
};

}  // namespace crossfix::test
