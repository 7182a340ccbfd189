// TemporaryFolder: a folder of its own for a test, gone with all that is in it when the test ends.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace eddy {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string made = testing::TempDir() + "eddy-XXXXXX";
    path_ = ::mkdtemp(made.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace eddy
