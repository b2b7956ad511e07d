/*
 * programs.c: looks at a program that is about to be executed: whether the kernel will start the
 * same loader for it (execve(2)) that runs this program. That loader takes in the preload library.
 *
 * In an exec hook, perhaps of a vfork child or a signal handler: raw system calls, under 1.5 KiB of
 * the caller's stack, no other memory is written to.
 */
#define _GNU_SOURCE
#include "programs.h"

#include "silt_wire.h"
#include "system.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_BYTES    256u /* as much as the kernel reads (BINPRM_BUF_SIZE) */
#define MAX_SCRIPTS   5u   /* interpreters that are scripts themselves, as in the kernel */
#define MAX_SEGMENTS  128u
#define MAX_LIBRARIES 1024u /* entries of the dynamic section that are looked at */
#define ENTRIES       16u   /* of the dynamic section, read at once */
#define NAME_BYTES    24u

struct silt_file silt_file_at(int directory, const char *path) {
    struct stat status;
    int flags = *path ? 0 : AT_EMPTY_PATH;
    if (silt_call(SYS_newfstatat, directory, path, &status, flags) < 0) {
        return (struct silt_file){0, 0};
    }
    return (struct silt_file){status.st_dev, status.st_ino};
}

bool silt_same_file(struct silt_file a, struct silt_file b) {
    return a.inode && a.inode == b.inode && a.device == b.device;
}

static bool read_at(int fd, void *into, size_t bytes, uint64_t offset) {
    return silt_call(SYS_pread64, fd, into, bytes, offset) == (long)bytes;
}

static void descriptor_link(int fd, char link[32]) {
    char digits[12];
    unsigned count = 0;
    strcpy(link, "/proc/self/fd/");
    size_t length = strlen(link);
    for (unsigned number = fd < 0 ? 0 : (unsigned)fd; number || !count; number /= 10) {
        digits[count++] = (char)('0' + number % 10);
    }
    while (count > 0) {
        link[length++] = digits[--count];
    }
    link[length] = 0;
}

void silt_name_descriptor(int fd, char *path, size_t capacity) {
    char link[32];
    descriptor_link(fd, link);
    long bytes = silt_call(SYS_readlink, link, path, capacity - 1);
    path[bytes > 0 ? bytes : 0] = 0;
}

/* Opens a regular file for reading. Other files may block or act when they are opened. */
static int open_program(int directory, const char *path) {
    struct stat status;
    if (silt_call(SYS_newfstatat, directory, path, &status, *path ? 0 : AT_EMPTY_PATH) < 0 ||
        !S_ISREG(status.st_mode)) {
        return -1;
    }
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    if (*path) {
        return (int)silt_call(SYS_openat, directory, path, flags, 0);
    }
    /* Opened again: it may be a descriptor that cannot be read from (O_PATH). */
    char link[32];
    descriptor_link(directory, link);
    return (int)silt_call(SYS_openat, AT_FDCWD, link, flags, 0);
}

/* The interpreter of a script, in place; NULL when the line names none. */
static const char *interpreter(char *head, size_t bytes) {
    char *at = head + 2, *end = head + bytes;
    while (at < end && (*at == ' ' || *at == '\t')) {
        at++;
    }
    char *name = at;
    while (at < end && *at && *at != ' ' && *at != '\t' && *at != '\n') {
        at++;
    }
    if (at == name || at == end) {
        return NULL;
    }
    *at = 0;
    return name;
}

bool silt_is_sanitizer(const char *name) {
    static const char *const names[] = {"libasan.so",       "libtsan.so",
                                        "libhwasan.so",     "libclang_rt.asan",
                                        "libclang_rt.tsan", "libclang_rt.hwasan"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (strncmp(name, names[i], strlen(names[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* What of an ELF file's program header matters (gABI, "Program Header"). */
struct segments {
    Elf64_Phdr interpreter;
    Elf64_Phdr dynamic;
};

static void find_segments(int fd, const Elf64_Ehdr *header, struct segments *found) {
    memset(found, 0, sizeof *found);
    for (unsigned i = 0; i < header->e_phnum && i < MAX_SEGMENTS; i++) {
        Elf64_Phdr segment;
        if (!read_at(fd, &segment, sizeof segment, header->e_phoff + i * sizeof segment)) {
            return;
        }
        if (segment.p_type == PT_INTERP) {
            found->interpreter = segment;
        } else if (segment.p_type == PT_DYNAMIC) {
            found->dynamic = segment;
        }
    }
}

/* Where in the file an address lies; 0 when in no segment of it. */
static uint64_t file_offset(int fd, const Elf64_Ehdr *header, uint64_t address) {
    for (unsigned i = 0; i < header->e_phnum && i < MAX_SEGMENTS; i++) {
        Elf64_Phdr segment;
        if (!read_at(fd, &segment, sizeof segment, header->e_phoff + i * sizeof segment)) {
            return 0;
        }
        if (segment.p_type == PT_LOAD && address - segment.p_vaddr < segment.p_filesz) {
            return address - segment.p_vaddr + segment.p_offset;
        }
    }
    return 0;
}

/* Whether it needs the runtime of a sanitizer, which must be the first library. */
static bool needs_sanitizer(int fd, const Elf64_Ehdr *header, const Elf64_Phdr *dynamic) {
    uint64_t count = dynamic->p_filesz / sizeof(Elf64_Dyn), strings = 0;
    for (int round = 0; round < 2; round++) {
        Elf64_Dyn entries[ENTRIES];
        for (uint64_t i = 0; i < count && i < MAX_LIBRARIES; i++) {
            char name[NAME_BYTES] = "";
            if (i % ENTRIES == 0) {
                memset(entries, 0, sizeof entries); /* DT_NULL, behind the end of the file */
                silt_call(SYS_pread64, fd, entries, sizeof entries,
                          dynamic->p_offset + i * sizeof *entries);
            }
            Elf64_Dyn entry = entries[i % ENTRIES];
            if (entry.d_tag == DT_NULL) {
                break;
            }
            if (round == 0 && entry.d_tag == DT_STRTAB) {
                strings = file_offset(fd, header, entry.d_un.d_ptr);
            } else if (round == 1 && entry.d_tag == DT_NEEDED) {
                silt_call(SYS_pread64, fd, name, sizeof name - 1, strings + entry.d_un.d_val);
                if (silt_is_sanitizer(name)) {
                    return true;
                }
            }
        }
        if (!strings) {
            return false;
        }
    }
    return false;
}

/* The loader ignores LD_PRELOAD where rights are gained (ld.so(8), secure-execution mode). */
static bool gains_rights(int fd) {
    struct stat status;
    char capabilities[64];
    long user = silt_call(SYS_geteuid, 0), group = silt_call(SYS_getegid, 0);
    if (user != silt_call(SYS_getuid, 0) || group != silt_call(SYS_getgid, 0)) {
        return true;
    }
    if (silt_call(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH) < 0) {
        return false;
    }
    return (status.st_mode & S_ISUID && status.st_uid != user) ||
           ((status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
            status.st_gid != group) ||
           (user != 0 && silt_call(SYS_fgetxattr, fd, "security.capability", capabilities,
                                   sizeof capabilities) > 0);
}

static bool is_loader(const struct silt_surroundings *here, const char *path) {
    if (silt_same_file(silt_file_at(AT_FDCWD, path), here->loader)) {
        return true;
    }
    /* The loader was upgraded under its path. */
    return here->loader_path && strcmp(path, here->loader_path) == 0 &&
           silt_same_file(silt_file_at(AT_FDCWD, "/"), here->root);
}

static uint32_t inspect_elf(const struct silt_surroundings *here, int fd,
                            const Elf64_Ehdr *header) {
    struct segments found;
    char path[HEAD_BYTES] = "";
    if (header->e_ident[EI_CLASS] == ELFCLASS32 &&
        (header->e_machine == EM_386 || header->e_machine == EM_X86_64)) {
        return SILT_UNTRACED_CLASS;
    }
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != EM_X86_64) {
        return SILT_UNTRACED_MACHINE;
    }
    if (header->e_phentsize != sizeof(Elf64_Phdr)) {
        return 0; /* none that the kernel would take */
    }
    find_segments(fd, header, &found);
    if (found.interpreter.p_type != PT_INTERP) {
        return silt_same_file(silt_file_at(fd, ""), here->loader) ? 0 : SILT_UNTRACED_STATIC;
    }
    silt_call(SYS_pread64, fd, path, sizeof path - 1, found.interpreter.p_offset);
    if (!is_loader(here, path)) {
        return SILT_UNTRACED_LIBC;
    }
    if (gains_rights(fd)) {
        return SILT_UNTRACED_RIGHTS;
    }
    if (found.dynamic.p_type == PT_DYNAMIC && needs_sanitizer(fd, header, &found.dynamic)) {
        return SILT_UNTRACED_SANITIZER;
    }
    return 0;
}

uint32_t silt_inspect_program(const struct silt_surroundings *here, int directory,
                              const char *path) {
    union {
        char bytes[HEAD_BYTES];
        Elf64_Ehdr header;
    } head;
    uint32_t reason = 0;
    int fd = open_program(directory, path);
    for (unsigned scripts = 0; fd >= 0 && scripts < MAX_SCRIPTS; scripts++) {
        long bytes = silt_call(SYS_pread64, fd, &head, sizeof head, 0);
        if (bytes > 2 && head.bytes[0] == '#' && head.bytes[1] == '!') {
            const char *next = interpreter(head.bytes, (size_t)bytes);
            silt_call(SYS_close, fd);
            fd = next ? open_program(AT_FDCWD, next) : -1;
            continue;
        }
        if (bytes >= (long)sizeof head.header &&
            memcmp(head.header.e_ident, ELFMAG, SELFMAG) == 0) {
            reason = inspect_elf(here, fd, &head.header);
        }
        break;
    }
    if (fd >= 0) {
        silt_call(SYS_close, fd);
    }
    return reason;
}
