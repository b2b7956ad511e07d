/*
 * silt_wire.h: the memory file and the records that the shim and the analyzer share.
 *
 * Each traced process image owns one memory file (memfd) and one pipe. Both are handed to the
 * analyzer in the hello message (SCM_RIGHTS over the Unix socket named by SILT_SOCKET). All records
 * go through the file, and so does the news that there are some (silt_header.news). Nothing is ever
 * written to the pipe: that it ends tells that the image is gone, or has closed it.
 *
 *   memory file:  header | command line, paths | module log | block 0 | block 1 | ...
 *   block:        a page with the states of SILT_BLOCK_SLOTS slots | their rings
 *
 * The file is as long as all slots would need, but a page of it takes memory only once it is
 * written to, and the target maps the rings of living threads alone.
 *
 * A slot is one single-producer ring of records. A thread owns one slot; a signal handler that
 * allocates while its thread is between stamp and append writes to a slot of its own. The producer
 * publishes after each record how far it has come, in bytes and in events, with one store; the
 * analyzer publishes `consumed`. What a killed process left in a ring is still there, so nothing is
 * lost, and an idle thread need not be waited for.
 *
 * Records are little-endian 64-bit words; the low 4 bits of the first word are the kind:
 *
 *   bits      63            20 19         4 3    0                                         bytes
 *   FREE     | address >> 3   |   stamp    |  2   |                                          8
 *   UNFREE   | address >> 3   |   stamp    |  3   |  the free before it did not happen        8
 *   FREE_BY  | address >> 3   |   stamp    |  8   |  a free, then | 0 (38) | stack (26) |   16
 *   ALLOC    | address >> 3   |   stamp    |  4   |  then | size (38) | stack (26) |        16
 *   REALLOC  | address >> 3   |   stamp    |  5   |  the new block of a realloc, as ALLOC   16
 *   TEMPORARY| address >> 3   |   stamp    |  9   |  an ALLOC whose block was freed again    16
 *   TAKEN    | address >> 3   |   stamp    |  12  |  an ALLOC that the analyzer has read     16
 *   NODE     | id (26) | parent (26) | flags (8) | 6 |  then | module (16) | address (48) | 16
 *   PAD      | words << 4                  |  1   |  skip that many words, this one included
 *   EXTENDED | type (16) << 32 | words (16) << 16 | 7 |  payload; unknown types are skipped by
 *                                                       their `words`
 *
 * An image whose environment has SILT_FREE_STACKS=1 when it starts (silt_header.free_stacks)
 * records each free, and the free half of each realloc, as FREE_BY: with the stack it was called
 * from, out of the same NODEs as those of allocations. The others write FREE and no FREE_BY.
 *
 * A block that is freed while its ALLOC is still the last record of its thread's ring leaves no
 * FREE: the producer turns the ALLOC into a TEMPORARY, one event that stands for both. It may do so
 * only while nothing else has happened at the block's address (the counter of its stamp has not
 * moved), and only until the analyzer takes the record: each side changes the first word with one
 * atomic instruction, the producer ALLOC to TEMPORARY, the analyzer ALLOC to TAKEN (bit 3 set) when
 * it is about to read a ring's last record.
 *
 * Worked record: free of 0x7f00deadbe40 with stamp 9 is (0x7f00deadbe40 >> 3) << 20 | 9 << 4 | 2
 * = 0xfe01bd5b7c800092.
 */
#ifndef SILT_WIRE_H
#define SILT_WIRE_H

#include <stdint.h>

#define SILT_MAGIC        0x31544c4953ULL /* "SILT1" */
#define SILT_WIRE_VERSION 3u

/* Geometry of the memory file, in bytes. */
#define SILT_HEADER_BYTES   4096u
#define SILT_COMMAND_OFFSET 4096u /* argv, NUL separated; zeros follow; at most SILT_TEXT_BYTES */
#define SILT_EXE_OFFSET     8192u /* path of the executable, NUL terminated */
#define SILT_ALLOC_OFFSET                                                                          \
    12288u /* path of the module that defines the real malloc, NUL terminated */
#define SILT_CWD_OFFSET     16384u /* working directory, NUL terminated */
#define SILT_TEXT_BYTES     4096u
#define SILT_MODULES_OFFSET 65536u
#define SILT_MODULES_BYTES  (1u << 20)
#define SILT_BLOCKS_OFFSET  (SILT_MODULES_OFFSET + SILT_MODULES_BYTES)
#define SILT_BLOCK_SLOTS    16u
#define SILT_STATES_BYTES   4096u /* of a block: SILT_BLOCK_SLOTS times silt_slot, then zeros */
#define SILT_RING_BYTES     (256u << 10)
#define SILT_RINGS_BYTES    (SILT_BLOCK_SLOTS * SILT_RING_BYTES)
#define SILT_BLOCK_BYTES    (SILT_STATES_BYTES + SILT_RINGS_BYTES)
#define SILT_MAX_SLOTS      65536u /* a slot's number has 16 bits */
/* Where a block begins; for the number of blocks, where the file ends. */
static inline uint64_t silt_block_offset(uint32_t index) {
    return SILT_BLOCKS_OFFSET + (uint64_t)index * SILT_BLOCK_BYTES;
}
#define SILT_NOTIFY_BYTES (192u << 10) /* news is raised each time this much became ready */

/* Order between threads: 16-bit counters, chosen by the address. */
#define SILT_STAMP_SHARDS  1024u
#define SILT_MAPPING_SHARD SILT_STAMP_SHARDS
#define SILT_ALL_SHARDS    (SILT_STAMP_SHARDS + 1u)
/* shard = (address >> 10) * 0x9E3779B97F4A7C15 >> 54 */
static inline uint32_t silt_stamp_shard(uint64_t address) {
    return (uint32_t)(((address >> 10) * 0x9E3779B97F4A7C15ULL) >> 54);
}

enum silt_kind {
    SILT_PAD = 1,
    SILT_FREE = 2,
    SILT_UNFREE = 3,
    SILT_ALLOC = 4,
    SILT_REALLOC = 5,
    SILT_NODE = 6,
    SILT_EXTENDED = 7,
    SILT_FREE_BY = 8,
    SILT_TEMPORARY = 9,
    SILT_TAKEN = 12
};

/* Word 0 of an EXTENDED record: kind | words << 16 | type << 32. Payload words follow. */
enum silt_extended {
    /* stamp, address, size, stack: what ALLOC cannot hold (odd address, size >= 2^38); +1 for a
       realloc */
    SILT_X_ALLOC = 1,
    SILT_X_REALLOC = 2,
    SILT_X_FREE = 3,   /* stamp, address */
    SILT_X_UNFREE = 4, /* stamp, address */
    /* Mappings by the program. Their order is that of one counter of their own, since ranges
       overlap as they like: stamps of SILT_MAPPING_SHARD. */
    SILT_X_MAP = 5,    /* stamp, address, length, prot | flags << 32, stack */
    SILT_X_UNMAP = 6,  /* stamp, address, length: about to be unmapped, or moved by mremap */
    SILT_X_REMAP = 7,  /* stamp, address, length, stack: where mremap left it; after a failed mremap
                          or  munmap, where it was */
    SILT_X_THREAD = 8, /* tid, name (16 bytes, NUL padded): the slot now belongs to this thread */
    SILT_X_THREAD_END = 9, /* tid */
    SILT_X_FREE_BY = 10,   /* stamp, address, 0, stack */
    SILT_X_TREE = 11,      /* nothing: node ids of this slot begin anew, at 1 */
    /* What is neither a block nor a range has a handle, and is of one enum silt_resource. */
    SILT_X_TAKE = 12, /* stamp, handle, size, resource, stack: the program has it now */
    SILT_X_GIVE = 13, /* stamp, handle, undo, resource: about to be given back; with undo 1, the
                         last one of this slot, which had this handle, did not come about */
    /* A thread's handle is its pthread_t, and the size in its SILT_X_TAKE is tid | flags of enum
       silt_thread_flags << 32. It is given back by what follows, which says by its tid which thread
       it means, since the handle is used again; 0: whichever has it. */
    SILT_X_THREAD_OVER = 14,   /* stamp, handle, tid, resource: it runs its last destructors */
    SILT_X_THREAD_DETACH = 15, /* stamp, handle, tid, resource: nobody will join it */
    SILT_X_THREAD_JOIN = 16    /* stamp, handle, tid, resource: it was joined, or is over and about
                                  to be */
};

enum silt_thread_flags {
    SILT_THREAD_DETACHED = 1, /* it was created so */
    SILT_THREAD_ENDED = 2     /* it was over already when its creation was recorded */
};

/* What a program can take and forget to give back (SiltEvents/Resource.swift, recordings).
 * A resource whose things have no size is counted: size 1. */
enum silt_resource {
    SILT_HEAP = 0,
    SILT_MAPPING = 1,
    SILT_DESCRIPTOR = 2,
    SILT_THREAD = 3,
    SILT_TIMER = 4,
    SILT_GOROUTINE = 5,
    SILT_UNJOINED = 6,  /* threads that ended and wait to be joined; no record names it */
    SILT_SEMAPHORE = 7, /* named ones; taken as often as opened, given as often as closed */
    SILT_LOCALE = 8,
    SILT_SEGMENT = 9 /* shared memory that is attached (shmat(2)): it has a size */
};

/* Flags of NODE. A node's id is unique in its slot, ids start at 1, parent 0 is the outermost
 * frame's parent. */
enum silt_node_flags {
    SILT_NODE_EXACT =
        1, /* the address is the instruction itself (signal frame), not a return address */
    SILT_NODE_INCOMPLETE =
        2, /* not a frame: the stack could not be followed further outward; outermost */
    SILT_NODE_TRUNCATED = 4 /* not a frame: deeper than the frame limit; outermost */
};

/* Heads a stretch of records in an event file: [offset, offset + length) of a slot. */
struct silt_chunk {
    uint64_t magic;
    uint64_t image; /* silt_header.image */
    uint32_t slot;
    uint32_t length;
    uint64_t offset;
};

struct silt_slot {
    /* Producer: silt_published of the bytes written since the slot was made and of the events among
       them: all records but PAD, NODE, THREAD, THREAD_END, TREE. */
    uint64_t published;
    uint64_t pad0[7];
    uint64_t consumed; /* analyzer: bytes read */
    uint32_t waiting;  /* producer sleeps on this futex (FUTEX_WAIT, shared) while it is 1 */
    uint32_t pad1;
    uint64_t pad2[6];
    uint32_t owner;       /* tid of the thread whose slot this is, or enum silt_owner */
    uint32_t signal_slot; /* 1: used by signal handlers */
    uint64_t pad3[7];
};

/* Who has a slot that no living thread owns. From SILT_OWNER_BARE on only by compare and swap. */
enum silt_owner {
    SILT_OWNER_NONE = 0,              /* nobody: the shim keeps it for the next thread */
    SILT_OWNER_BARE = 0xfffffff0,     /* nobody: the shim has unmapped its ring */
    SILT_OWNER_TRIMMING = 0xfffffff1, /* the analyzer gives the memory of such a ring back */
    SILT_OWNER_TRIMMED = 0xfffffff2,  /* as BARE, and its ring takes no memory */
    SILT_OWNER_CLAIMED = 0xfffffff3,  /* the shim has found the owner gone */
    SILT_OWNER_SHARED = 0xfffffff4    /* all threads that have passed their last destructor */
};
#define SILT_OWNER_FIRST 0xfffffff0u /* tids lie below */

/* The low halves of both counters: 8-byte words written, and events. A reader that looks at least
 * once a ring knows the rest. */
static inline uint64_t silt_published(uint64_t bytes, uint64_t events) {
    return events << 32 | (uint32_t)(bytes >> 3);
}

/* One entry of the module log, 8-byte aligned, `bytes` long in all; published by
 * silt_header.modules_bytes. */
struct silt_module {
    uint32_t bytes;
    uint32_t index; /* 1, 2, ...; what NODE names */
    uint64_t start; /* mapped range [start, end) */
    uint64_t end;
    uint64_t bias; /* address - bias = address in the file's own numbering (p_vaddr) */
    uint32_t build_id_bytes;
    uint32_t path_bytes;
    /* build id, then path, no NUL; padded to 8 */
};

struct silt_header {
    uint64_t magic;
    uint32_t version;
    uint32_t header_bytes;
    uint64_t image;        /* random, unique to this process image */
    uint64_t parent_image; /* of the process it was forked from, else 0 */
    uint32_t pid;          /* as the target sees it */
    uint32_t ppid;
    uint32_t forked;     /* 1: made by fork, its heap began as a copy of the parent's; 0: by exec */
    uint32_t slot_count; /* slots made so far; grows */
    uint64_t start_ns;   /* CLOCK_MONOTONIC */
    uint64_t modules_bytes; /* valid bytes of the module log */
    uint32_t modules_lost;  /* modules that did not fit */
    uint32_t reader_gone;   /* analyzer sets 1 when it stops: the shim switches off */
    uint64_t waits;         /* times a full ring made the target wait */
    uint64_t wait_ns;
    uint64_t lost;        /* events not recorded (no slot to be had, recording switched off) */
    uint64_t reentered;   /* events inside our own hooks that went straight through */
    uint64_t stacks;      /* stacks taken */
    uint64_t stacks_slow; /* taken by the fallback unwinder */
    uint64_t stacks_truncated;
    uint32_t switched_off; /* the shim gave up recording; reason below */
    uint32_t off_reason;   /* enum silt_off */
    uint64_t reader_beats; /* analyzer: rises about twice a second as long as it lives */
    uint32_t leaving;      /* 1: pid 1 of a pid namespace ends, and with it all that runs there */
    uint32_t leave_answer; /* analyzer: 1 it runs elsewhere, 2 it has closed the recording */
    uint32_t news;         /* enum silt_news; the analyzer sleeps on it (FUTEX_WAITV, shared) */
    uint32_t children_filtered; /* fork children that are not recorded, for the image's seccomp(2)
                                   filter; they count themselves */
    uint64_t free_stacks;       /* 1: its frees carry stacks */
    uint64_t off_ns;            /* CLOCK_MONOTONIC, when it gave up recording */
    uint64_t children_missed;   /* fork children that could not say hello; they count themselves */
    uint64_t own_bytes;         /* address space that the shim has mapped in the target by now */
    /* CLOCK_MONOTONIC: when a fork child last waited to say hello, and until when the waits so far
       are held against the next ones. */
    uint64_t hello_waited_ns;
    uint64_t hello_debt_ns;
    uint64_t children_sharing; /* fork children that are not recorded, since they share their
                                  parent's descriptors; they count themselves */
    uint64_t imports_unbound;  /* of functions that allocate, which are called past the shim */
    uint32_t file_taken; /* analyzer: 1 it does not need the program's file any more, or keeps it;
                            it wakes who waits (FUTEX_WAIT, shared) */
    uint32_t unused;
    uint64_t of_guests;     /* those of `lost` that threads of control made which have the thread
                               pointer of another one */
    uint64_t imports_bound; /* of functions that allocate, which were called past the shim before */
    uint32_t starts_filtered;   /* 1: what it starts does not find the library, for its filter */
    uint32_t children_threaded; /* fork children that are not recorded, since they had threads by
                                   their first event; they count themselves */
    uint64_t spare[1];
};

/* The producers raise the word each time SILT_NOTIFY_BYTES became ready in a slot, and before they
 * wait for room. The analyzer makes CALM of RAISED before it reads, and ASLEEP of CALM before it
 * sleeps on the word; who raises it then wakes it. So nothing is raised in vain, and an analyzer
 * that is busy costs the producers no system call. */
enum silt_news { SILT_NEWS_CALM = 0, SILT_NEWS_RAISED = 1, SILT_NEWS_ASLEEP = 2 };

enum silt_off {
    SILT_OFF_NO = 0,
    SILT_OFF_READER_GONE = 1,
    SILT_OFF_NO_MEMORY = 2,
    SILT_OFF_INTERNAL = 3,
    SILT_OFF_READER_STILL = 4, /* the analyzer has not moved for SILT_PATIENCE_NS */
    SILT_OFF_STRICT = 5        /* the program forbids itself futex(2), by seccomp(2) */
};

#define SILT_PATIENCE_NS 5000000000ull

/* First message on the rendezvous socket (SOCK_SEQPACKET), with two or three descriptors: pipe
 * read end, memory file, the program's file. */
struct silt_hello {
    uint64_t magic;
    uint32_t version;
    uint32_t kind; /* 0: the image is recorded. 2: it cannot be; no descriptor, `refusal`, and
                      behind the hello the text it speaks of, at most SILT_REFUSAL_TEXT bytes */
    uint64_t image;
    uint32_t pid;
    uint32_t refusal; /* enum silt_refusal */
};
#define SILT_REFUSAL_TEXT 512u

enum silt_refusal {
    SILT_REFUSED_ADDRESS_SPACE = 1, /* RLIMIT_AS or RLIMIT_DATA leaves too little room */
    SILT_REFUSED_FILE_SIZE = 2,     /* RLIMIT_FSIZE is below its size */
    SILT_REFUSED_DESCRIPTORS = 3,   /* none left for pipe and memory file */
    SILT_REFUSED_MEMORY = 4,        /* the kernel gave no memory file */
    SILT_REFUSED_MALLOC = 5,        /* malloc is bound to the module that the text names */

    /* A program that a process becomes or has started. `pid` in the hello: the process, ~0 where it
       is not known; `image`: the one that starts it, and the sender in the high half, all as the
       sender counts. The text is the program's path. */
    SILT_UNTRACED_NOT = 32,         /* the sender goes on: what it has said last did not happen */
    SILT_UNTRACED_STATIC = 33,      /* no loader runs */
    SILT_UNTRACED_CLASS = 34,       /* a 32-bit program */
    SILT_UNTRACED_MACHINE = 35,     /* of another machine */
    SILT_UNTRACED_LIBC = 36,        /* another loader: musl, another glibc */
    SILT_UNTRACED_RIGHTS = 37,      /* setuid, setgid, capabilities: LD_PRELOAD is ignored */
    SILT_UNTRACED_USER = 38,        /* a user who may not reach the library or the analyzer */
    SILT_UNTRACED_ROOT = 39,        /* the library is not to be seen from there */
    SILT_UNTRACED_SANITIZER = 40,   /* the sanitizer's runtime must be the first library */
    SILT_UNTRACED_VALGRIND = 41,    /* runs under valgrind, whose malloc it gets */
    SILT_UNTRACED_ENVIRONMENT = 42, /* its environment does not name the library */
    SILT_UNTRACED_SOCKET = 43,      /* the analyzer's socket is not to be seen from there */
    SILT_UNTRACED_NAMELESS = 44,    /* its environment names the library, and not the socket */
    SILT_UNTRACED_PRELOAD = 45      /* LD_PRELOAD alone was taken out, or names others instead */
};

_Static_assert(sizeof(struct silt_chunk) == 32, "wire layout");
_Static_assert(sizeof(struct silt_slot) == 192, "wire layout");
_Static_assert(SILT_BLOCK_SLOTS * sizeof(struct silt_slot) <= SILT_STATES_BYTES, "wire layout");
_Static_assert(sizeof(struct silt_module) == 40, "wire layout");
_Static_assert(sizeof(struct silt_hello) == 32, "wire layout");
_Static_assert(sizeof(struct silt_header) == 264, "wire layout");

#endif
