/* claim.c: a lock that says who writes a file. */
#define _GNU_SOURCE
#include "silt_process.h"

#include <errno.h>
#include <fcntl.h>

int silt_claim(int fd) {
    /* The lock is the open file description's, not the process's: it lasts until the descriptor is
     * closed, and closing another descriptor of the file does not end it. SQLite's locks are
     * elsewhere (from 0x40000000 on, sqlite.org/src/file/src/os.h). */
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x3fff0000, .l_len = 1};
    if (fcntl(fd, F_OFD_SETLK, &lock) == 0) {
        return 1;
    }
    /* A pipe, a device, a file system without locks: nobody can tell. */
    return errno != EAGAIN && errno != EACCES;
}
