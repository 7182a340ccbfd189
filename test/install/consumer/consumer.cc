// What the smallest daemon would do with an installed eddy: one turn of the loop.
#include <eddy/loop/io_loop.h>

int main() {
  eddy::IOLoop loop;
  bool ran = false;
  loop.add_callback([&] {
    ran = true;
    loop.stop();
  });
  loop.start();
  return ran ? 0 : 1;
}
