/* silt_bucket.h: looks at the 8 keys of a hash table's bucket at once (LiveTable). */
#ifndef SILT_BUCKET_H
#define SILT_BUCKET_H

#include <stdint.h>

#if defined(__SSE2__)
#    include <emmintrin.h>

/* Two bits for each of the 8 keys, one per half that is equal; bit 2i is set in the result if key i
 * is equal. */
static inline uint32_t silt_bucket_equal(__m128i a, __m128i b, __m128i c, __m128i d,
                                         __m128i value) {
    a = _mm_cmpeq_epi32(a, value);
    b = _mm_cmpeq_epi32(b, value);
    c = _mm_cmpeq_epi32(c, value);
    d = _mm_cmpeq_epi32(d, value);
    uint32_t halves =
        (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, d)));
    return halves & halves >> 1 & 0x5555;
}

/* Bit 2i: keys[i] >> 20 == value. `keys`: 8 of them, 16-byte aligned. */
static inline uint32_t silt_bucket_matches(const uint64_t *keys, uint64_t value) {
    const __m128i *k = (const __m128i *)keys;
    return silt_bucket_equal(
        _mm_srli_epi64(_mm_load_si128(k), 20), _mm_srli_epi64(_mm_load_si128(k + 1), 20),
        _mm_srli_epi64(_mm_load_si128(k + 2), 20), _mm_srli_epi64(_mm_load_si128(k + 3), 20),
        _mm_set1_epi64x((long long)value));
}

/* Bit 2i: keys[i] == 0. */
static inline uint32_t silt_bucket_free(const uint64_t *keys) {
    const __m128i *k = (const __m128i *)keys;
    return silt_bucket_equal(_mm_load_si128(k), _mm_load_si128(k + 1), _mm_load_si128(k + 2),
                             _mm_load_si128(k + 3), _mm_setzero_si128());
}

#else

static inline uint32_t silt_bucket_matches(const uint64_t *keys, uint64_t value) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < 8; i++) {
        found |= (uint32_t)(keys[i] >> 20 == value) << 2 * i;
    }
    return found;
}

static inline uint32_t silt_bucket_free(const uint64_t *keys) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < 8; i++) {
        found |= (uint32_t)(keys[i] == 0) << 2 * i;
    }
    return found;
}

#endif

#endif
