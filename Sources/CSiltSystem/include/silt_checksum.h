/* silt_checksum.h: CRC-32C. */
#ifndef SILT_CHECKSUM_H
#define SILT_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C of RFC 3720, B.4: that of "123456789" is 0xe3069283. `before` is that of the bytes in
 * front of these, 0 where there are none. */
uint32_t silt_crc32c(uint32_t before, const void *bytes, size_t count);

#endif
