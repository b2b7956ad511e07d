/*
 * hook_table.h: the functions that silt stands in front of, by family. A family is defined in one
 * file.
 *
 * NEXT(result, name, parameters) is a function whose next definition is called: real.h has a
 * pointer to it, which real.c finds. ALONE(name) calls no next definition, and has its prototype
 * from the C library. What is exported is what is marked SILT_EXPORT; ShimFileTests compares that
 * with the rows. Each exported name must have cases in Tests/Workloads/hook_cases.cpp (HookTests).
 */
#ifndef SILT_HOOK_TABLE_H
#define SILT_HOOK_TABLE_H

/* clang-format off */

/* hooks.c */
#define SILT_ALLOCATOR_HOOKS(NEXT, ALONE)                       \
    NEXT(void *, malloc, (size_t))                              \
    NEXT(void *, calloc, (size_t, size_t))                      \
    NEXT(void *, realloc, (void *, size_t))                     \
    NEXT(void *, reallocarray, (void *, size_t, size_t))        \
    NEXT(void, free, (void *))                                  \
    NEXT(void, free_sized, (void *, size_t))                    \
    NEXT(void, free_aligned_sized, (void *, size_t, size_t))    \
    NEXT(int, posix_memalign, (void **, size_t, size_t))        \
    NEXT(void *, aligned_alloc, (size_t, size_t))               \
    NEXT(void *, memalign, (size_t, size_t))                    \
    NEXT(void *, valloc, (size_t))                              \
    NEXT(void *, pvalloc, (size_t))                             \
    NEXT(size_t, malloc_usable_size, (void *))

/* new.c; the next definition depends on the calling module: operators.h */
#define SILT_OPERATOR_HOOKS(ROW)                                \
    ROW(void *, _Znwm, (size_t))                                \
    ROW(void *, _Znam, (size_t))                                \
    ROW(void *, _ZnwmRKSt9nothrow_t, (size_t, const void *))    \
    ROW(void *, _ZnamRKSt9nothrow_t, (size_t, const void *))    \
    ROW(void *, _ZnwmSt11align_val_t, (size_t, size_t))         \
    ROW(void *, _ZnamSt11align_val_t, (size_t, size_t))         \
    ROW(void *, _ZnwmSt11align_val_tRKSt9nothrow_t, (size_t, size_t, const void *)) \
    ROW(void *, _ZnamSt11align_val_tRKSt9nothrow_t, (size_t, size_t, const void *)) \
    ROW(void, _ZdlPv, (void *))                                 \
    ROW(void, _ZdaPv, (void *))                                 \
    ROW(void, _ZdlPvm, (void *, size_t))                        \
    ROW(void, _ZdaPvm, (void *, size_t))                        \
    ROW(void, _ZdlPvRKSt9nothrow_t, (void *, const void *))     \
    ROW(void, _ZdaPvRKSt9nothrow_t, (void *, const void *))     \
    ROW(void, _ZdlPvSt11align_val_t, (void *, size_t))          \
    ROW(void, _ZdaPvSt11align_val_t, (void *, size_t))          \
    ROW(void, _ZdlPvmSt11align_val_t, (void *, size_t, size_t)) \
    ROW(void, _ZdaPvmSt11align_val_t, (void *, size_t, size_t)) \
    ROW(void, _ZdlPvSt11align_val_tRKSt9nothrow_t, (void *, size_t, const void *)) \
    ROW(void, _ZdaPvSt11align_val_tRKSt9nothrow_t, (void *, size_t, const void *))

/* mappings.c; silt makes the system calls itself, unless it may make none */
#define SILT_MAPPING_HOOKS(NEXT, ALONE)                         \
    NEXT(void *, mmap, (void *, size_t, int, int, int, off_t))  \
    NEXT(int, munmap, (void *, size_t))                         \
    NEXT(void *, mremap, (void *, size_t, size_t, int, ...))    \
    NEXT(int, mprotect, (void *, size_t, int))                  \
    NEXT(int, pkey_mprotect, (void *, size_t, int, int))        \
    NEXT(void *, mmap64, (void *, size_t, int, int, int, off_t)) \
    NEXT(int, brk, (void *))                                    \
    NEXT(void *, sbrk, (intptr_t))

/* descriptors.c */
#define SILT_DESCRIPTOR_HOOKS(NEXT, ALONE)                      \
    NEXT(int, close, (int))                                     \
    NEXT(int, dup2, (int, int))                                 \
    NEXT(int, dup3, (int, int, int))                            \
    NEXT(int, close_range, (unsigned, unsigned, int))           \
    NEXT(void, closefrom, (int))

/* opens.c, streams.c, received.c */
#define SILT_OPENING_HOOKS(NEXT, ALONE)                         \
    NEXT(int, open, (const char *, int, ...))                   \
    NEXT(int, open64, (const char *, int, ...))                 \
    NEXT(int, __open_2, (const char *, int))                    \
    NEXT(int, __open64_2, (const char *, int))                  \
    NEXT(int, openat, (int, const char *, int, ...))            \
    NEXT(int, openat64, (int, const char *, int, ...))          \
    NEXT(int, __openat_2, (int, const char *, int))             \
    NEXT(int, __openat64_2, (int, const char *, int))           \
    NEXT(int, creat, (const char *, mode_t))                    \
    NEXT(int, creat64, (const char *, mode_t))                  \
    NEXT(int, socket, (int, int, int))                          \
    NEXT(int, socketpair, (int, int, int, int[2]))              \
    NEXT(int, accept, (int, struct sockaddr *, socklen_t *))    \
    NEXT(int, accept4, (int, struct sockaddr *, socklen_t *, int)) \
    NEXT(int, pipe, (int[2]))                                   \
    NEXT(int, pipe2, (int[2], int))                             \
    NEXT(int, dup, (int))                                       \
    NEXT(int, fcntl, (int, int, ...))                           \
    NEXT(int, fcntl64, (int, int, ...))                         \
    NEXT(int, eventfd, (unsigned, int))                         \
    NEXT(int, epoll_create, (int))                              \
    NEXT(int, epoll_create1, (int))                             \
    NEXT(int, timerfd_create, (clockid_t, int))                 \
    NEXT(int, signalfd, (int, const sigset_t *, int))           \
    NEXT(int, inotify_init, (void))                             \
    NEXT(int, inotify_init1, (int))                             \
    NEXT(int, fanotify_init, (unsigned, unsigned))              \
    NEXT(int, memfd_create, (const char *, unsigned))           \
    NEXT(int, pidfd_open, (pid_t, unsigned))                    \
    NEXT(int, mkstemp, (char *))                                \
    NEXT(int, mkstemp64, (char *))                              \
    NEXT(int, mkostemp, (char *, int))                          \
    NEXT(int, mkostemp64, (char *, int))                        \
    NEXT(int, mkstemps, (char *, int))                          \
    NEXT(int, mkstemps64, (char *, int))                        \
    NEXT(int, mkostemps, (char *, int, int))                    \
    NEXT(int, mkostemps64, (char *, int, int))                  \
    NEXT(int, shm_open, (const char *, int, mode_t))            \
    NEXT(int, mq_open, (const char *, int, ...))                \
    NEXT(int, mq_close, (int))                                  \
    NEXT(int, posix_openpt, (int))                              \
    NEXT(FILE *, fopen, (const char *, const char *))           \
    NEXT(FILE *, fopen64, (const char *, const char *))         \
    NEXT(FILE *, freopen, (const char *, const char *, FILE *)) \
    NEXT(FILE *, freopen64, (const char *, const char *, FILE *)) \
    NEXT(FILE *, tmpfile, (void))                               \
    NEXT(FILE *, tmpfile64, (void))                             \
    NEXT(int, fclose, (FILE *))                                 \
    NEXT(int, pclose, (FILE *))                                 \
    NEXT(DIR *, opendir, (const char *))                        \
    NEXT(int, closedir, (DIR *))                                \
    NEXT(ssize_t, recvmsg, (int, struct msghdr *, int))         \
    NEXT(int, recvmmsg, (int, struct mmsghdr *, unsigned, int, struct timespec *))

/* seccomp.c */
#define SILT_SANDBOX_HOOKS(NEXT, ALONE)                         \
    NEXT(int, prctl, (int, ...))                                \
    NEXT(long, syscall, (long, ...))

/* thread.c */
#define SILT_KEY_HOOKS(NEXT, ALONE)                             \
    NEXT(int, pthread_key_create, (pthread_key_t *, void (*)(void *))) \
    NEXT(int, tss_create, (tss_t *, tss_dtor_t))

/* pthreads.c */
#define SILT_THREAD_HOOKS(NEXT, ALONE)                          \
    NEXT(int, pthread_create, (pthread_t *, const pthread_attr_t *, void *(*)(void *), void *)) \
    NEXT(int, pthread_detach, (pthread_t))                      \
    NEXT(int, pthread_join, (pthread_t, void **))               \
    NEXT(int, pthread_tryjoin_np, (pthread_t, void **))         \
    NEXT(int, pthread_timedjoin_np, (pthread_t, void **, const struct timespec *)) \
    NEXT(int, pthread_clockjoin_np, (pthread_t, void **, clockid_t, const struct timespec *)) \
    NEXT(int, thrd_create, (thrd_t *, thrd_start_t, void *))    \
    NEXT(int, thrd_detach, (thrd_t))                            \
    NEXT(int, thrd_join, (thrd_t, int *))

/* handles.c */
#define SILT_HANDLE_HOOKS(NEXT, ALONE)                          \
    NEXT(int, timer_create, (clockid_t, struct sigevent *, timer_t *)) \
    NEXT(int, timer_delete, (timer_t))                          \
    NEXT(int, setitimer, (__itimer_which_t, const struct itimerval *, struct itimerval *)) \
    NEXT(sem_t *, sem_open, (const char *, int, ...))           \
    NEXT(int, sem_close, (sem_t *))                             \
    NEXT(locale_t, newlocale, (int, const char *, locale_t))    \
    NEXT(locale_t, __newlocale, (int, const char *, locale_t))  \
    NEXT(locale_t, duplocale, (locale_t))                       \
    NEXT(locale_t, __duplocale, (locale_t))                     \
    NEXT(void, freelocale, (locale_t))                          \
    NEXT(void, __freelocale, (locale_t))                        \
    NEXT(void *, shmat, (int, const void *, int))               \
    NEXT(int, shmdt, (const void *))

/* Those of them whose older versions are other functions: ROW(name, the C library's version, the
 * one before it that is the same function). References to versions before that pass by the hook.
 * posix_spawn and posix_spawnp have a hook for either version: exec.c. */
#define SILT_VERSIONED_HOOKS(ROW)                               \
    ROW(timer_create, GLIBC_2.34, GLIBC_2.3.3)                  \
    ROW(timer_delete, GLIBC_2.34, GLIBC_2.3.3)

/* loads.c, dlclose.c, fork.c */
#define SILT_IMAGE_HOOKS(NEXT, ALONE)                           \
    NEXT(void *, dlopen, (const char *, int))                   \
    NEXT(void *, dlsym, (void *, const char *))                 \
    NEXT(int, dlclose, (void *))                                \
    NEXT(int, _Fork, (void))                                    \
    NEXT(int, vfork, (void))                                    \
    NEXT(int, clone, (int (*)(void *), void *, int, void *, ...))

/* exec.c */
#define SILT_PROGRAM_HOOKS(NEXT, ALONE)                         \
    NEXT(int, execv, (const char *, char *const *))             \
    NEXT(int, execvp, (const char *, char *const *))            \
    NEXT(int, execve, (const char *, char *const *, char *const *)) \
    NEXT(int, execvpe, (const char *, char *const *, char *const *)) \
    NEXT(int, fexecve, (int, char *const *, char *const *))     \
    NEXT(int, execveat, (int, const char *, char *const *, char *const *, int)) \
    NEXT(int, posix_spawn, (pid_t *, const char *, const posix_spawn_file_actions_t *, \
                            const posix_spawnattr_t *, char *const *, char *const *)) \
    NEXT(int, posix_spawnp, (pid_t *, const char *, const posix_spawn_file_actions_t *, \
                             const posix_spawnattr_t *, char *const *, char *const *)) \
    NEXT(int, system, (const char *))                           \
    NEXT(FILE *, popen, (const char *, const char *))           \
    ALONE(execl) ALONE(execle) ALONE(execlp)

/* All families but the operators. */
#define SILT_HOOKS(NEXT, ALONE)                                 \
    SILT_ALLOCATOR_HOOKS(NEXT, ALONE)                           \
    SILT_MAPPING_HOOKS(NEXT, ALONE)                             \
    SILT_DESCRIPTOR_HOOKS(NEXT, ALONE)                          \
    SILT_OPENING_HOOKS(NEXT, ALONE)                             \
    SILT_SANDBOX_HOOKS(NEXT, ALONE)                             \
    SILT_KEY_HOOKS(NEXT, ALONE)                                 \
    SILT_THREAD_HOOKS(NEXT, ALONE)                              \
    SILT_HANDLE_HOOKS(NEXT, ALONE)                              \
    SILT_IMAGE_HOOKS(NEXT, ALONE)                               \
    SILT_PROGRAM_HOOKS(NEXT, ALONE)

/* clang-format on */

#endif
