/* statements SECONDS: prepares a statement of SQLite 100 times a second and gives none back. */
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

static __attribute__((noinline)) int look_up(sqlite3 *database) {
    sqlite3_stmt *statement;
    return sqlite3_prepare_v2(database, "select 1", -1, &statement, NULL);
}

int main(int count, char **arguments) {
    sqlite3 *database;
    if (count < 2 || sqlite3_open(":memory:", &database) != SQLITE_OK) {
        return 2;
    }
    for (int i = 0; i < atoi(arguments[1]) * 100; i++) {
        look_up(database);
        usleep(10000);
    }
    return 0;
}
