/* appends: a list of texts that only grows. One line makes the texts, which stay, and
   the list's memory, which is replaced by a larger one now and then. With "mended" what is older
   than 200 texts is dropped. */
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

static std::vector<std::string> records;

__attribute__((noinline)) static void remember() {
    records.emplace_back(40, 'r');
}

int main(int count, char **words) {
    const bool mended = count > 1 && strcmp(words[1], "mended") == 0;
    for (int number = 0; number < 6000; number++) {
        remember();
        if (mended && records.size() > 200) {
            records.erase(records.begin());
        }
        if (number % 20 == 0) {
            timespec pause = {0, 10000000};
            nanosleep(&pause, nullptr);
        }
    }
}
