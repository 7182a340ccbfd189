// Program: a process of its own that runs what a test says, and tells the test what happens there.
//
//   Program program([](Program& self) { self.tell("hello"); return 3; });
//   EXPECT_EQ(program.hear(), "hello");
//   EXPECT_EQ(program.wait(), 3);
//
// What the body forks may tell, too, and all end with what the body returns in them. What a test
// waits for is an event with a generous deadline; a program that still runs when its Program ends
// is killed. Make it before the test starts threads.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <set>
#include <string>

#include <eddy/loop/unique_fd.h>

namespace eddy {

class Program {
 public:
  using Body = std::function<int(Program&)>;

  explicit Program(const Body& body);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // In the program and its children.
  void tell(const std::string& line) const;
  void log_to_test() const;  // what eddy logs becomes lines, too

  // In the test.
  std::string hear();  // the next line; empty once all who could speak are gone
  std::set<std::string> hear(std::size_t lines);
  std::string hear_until(const std::string& part);  // the first line that contains it
  std::string hear_to_end();
  pid_t pid() const { return pid_; }
  void kill(int signal) const;
  int wait();  // its exit code, or minus the signal that ended it

 private:
  UniqueFd reader_;
  UniqueFd writer_;
  pid_t pid_ = -1;
  std::string heard_;
};

}  // namespace eddy
