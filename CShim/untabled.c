/*
 * untabled.c: code that no unwind table covers: made at run time, or written in assembly.
 *
 * Compilers that run in the program keep frames by rbp, since debuggers and profilers ask for it.
 * Code of a module may be anything: a compiler's builtins, which do so too, or a routine that was
 * written by hand and leaves rbp as it is, so that a step by rbp would miss its caller.
 */
#define _GNU_SOURCE
#include "untabled.h"

#include "careful.h"
#include "cfi.h"
#include "generated.h"
#include "loaded.h"

#include <dlfcn.h>

/* The builtins of V8 are 1.5 MB, in large part handlers that share a frame made elsewhere. */
#define REACH (1u << 20)

/* What was answered for an address of a module, whose code does not change while it is loaded:
 * address << 1 | answer. Of addresses that share a place the last one is kept. */
#define ANSWER_BITS 8
static uint64_t answers[1 << ANSWER_BITS];

/* push rbp; mov rbp, rsp, in both encodings of the second. */
static bool makes_frame(const uint8_t *at) {
    return at[0] == 0x55 && at[1] == 0x48 &&
           ((at[2] == 0x89 && at[3] == 0xe5) || (at[2] == 0x8b && at[3] == 0xec));
}

/* Where the readable and executable segment of a module begins that holds `pc`; 0: none does. */
static uintptr_t code_start(uintptr_t pc) {
    struct dl_find_object found;
    if (_dl_find_object((void *)pc, &found) != 0) {
        return 0;
    }
    struct silt_extent extent = silt_extent_of(&found);
    const ElfW(Phdr) *segment = silt_segment_at(&extent, pc);
    bool is_code = segment && (segment->p_flags & (PF_R | PF_X)) == (PF_R | PF_X);
    return is_code ? extent.bias + segment->p_vaddr : 0;
}

bool silt_is_module_code(uintptr_t pc) {
    return code_start(pc) != 0;
}

/* Whether a function of a module before `pc` makes a frame. */
static bool is_behind_frame(uintptr_t pc) {
    uintptr_t start = code_start(pc), covered = silt_cfi_covered_until(pc), page = pc >> 12;
    if (!start) {
        return false;
    }
    start = covered > start ? covered : start;
    start = pc - start > REACH ? pc - REACH : start;
    for (uintptr_t at = pc - 4; at >= start && at < pc; at--) {
        if (at >> 12 != page) {
            page = at >> 12;
            if (!silt_is_there(page << 12)) {
                return false;
            }
        }
        if (makes_frame((const uint8_t *)at)) {
            return true;
        }
    }
    return false;
}

bool silt_untabled_has_frame(uintptr_t pc) {
    if (silt_is_generated(pc, pc + 1)) {
        return true;
    }
    uint64_t *place = &answers[(pc * 0x9E3779B97F4A7C15ull) >> (64 - ANSWER_BITS)];
    uint64_t answer = __atomic_load_n(place, __ATOMIC_RELAXED);
    if (answer >> 1 != pc) {
        answer = (uint64_t)pc << 1 | is_behind_frame(pc);
        __atomic_store_n(place, answer, __ATOMIC_RELAXED);
    }
    return answer & 1;
}

void silt_untabled_forget(void) {
    for (unsigned i = 0; i < 1 << ANSWER_BITS; i++) {
        __atomic_store_n(&answers[i], 0, __ATOMIC_RELAXED);
    }
}

bool silt_is_code(uintptr_t pc) {
    struct silt_cfi_row row;
    return silt_cfi_find(pc, &row) != SILT_CFI_NONE || silt_untabled_has_frame(pc);
}
