/* SPDX-License-Identifier: Apache-2.0
 *
 * Application and bootloader images. Source: formats specification, section 5.
 *
 * Verification is a conversation, so that whoever reads the bytes decides how and where to:
 *
 *     fmt_image_begin(&v, &params);
 *     while (fmt_image_need(&v, &need)) {
 *         read up to need.remaining bytes at image offset need.offset - segment data straight to
 *         its final place if the segment is loaded - and
 *         fmt_image_feed(&v, data, len);
 *     }
 *     v.status is FMT_IMAGE_OK, or names the rule that failed
 *     fmt_image_end(&v);
 *
 * Every byte is parsed, checksummed and hashed in this one pass, in the order of section 5.6, and
 * never is a byte asked for that lies beyond the partition.
 *
 * One bit of the header says whether a hash follows the image, and nothing but the hash protects
 * it. So an application that says it has none is refused (FMT_IMAGE_BAD_HASH) when the SHA-256 that
 * it had with that byte set stands right behind it. */
#ifndef FORMATS_IMAGE_H
#define FORMATS_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/app_desc.h"
#include "formats/chip.h"
#include "formats/esp_err_codes.h"
#include "formats/log_line.h"
#include "mbedtls/sha256.h"

#define FMT_IMAGE_MAGIC               0xE9u
#define FMT_IMAGE_HEADER_SIZE         24u
#define FMT_IMAGE_SEGMENT_HEADER_SIZE 8u
#define FMT_IMAGE_MAX_SEGMENTS        16u
#define FMT_IMAGE_CHECKSUM_SEED       0xEFu
#define FMT_IMAGE_DIGEST_SIZE         32u
#define FMT_IMAGE_WP_PIN_DISABLED     0xEEu

enum {
    FMT_SPI_MODE_QIO = 0,
    FMT_SPI_MODE_QOUT = 1,
    FMT_SPI_MODE_DIO = 2,
    FMT_SPI_MODE_DOUT = 3,
    FMT_SPI_MODE_FAST_READ = 4,
    FMT_SPI_MODE_SLOW_READ = 5,
};

/* The image header, decoded. Revisions are major * 100 + minor. */
typedef struct {
    uint8_t magic;
    uint8_t segment_count;
    uint8_t spi_mode;
    uint8_t spi_speed; /* code: low nibble of byte 3 */
    uint8_t spi_size;  /* code: high nibble of byte 3 */
    uint32_t entry;
    uint8_t wp_pin;
    uint8_t spi_pin_drv[3];
    uint16_t chip_id;
    uint8_t min_chip_rev;
    uint16_t min_chip_rev_full;
    uint16_t max_chip_rev_full;
    uint8_t reserved[4];
    uint8_t hash_appended; /* byte as found: 1 means a SHA-256 follows; other values but 0 too */
} fmt_image_header_t;

/* From and to FMT_IMAGE_HEADER_SIZE bytes at raw. Nothing is checked. */
void fmt_image_header_decode(const void *raw, fmt_image_header_t *header);
void fmt_image_header_encode(const fmt_image_header_t *header, void *raw);

/* Flash size in bytes of a header's size code; 0 when the code is unknown. */
uint32_t fmt_flash_size_bytes(uint8_t code);
/* The reverse; -1 when there is no code for that many bytes. */
int fmt_flash_size_code(uint32_t bytes);
/* "4MB"; an unknown code gives "2MB", which is how it is treated. */
const char *fmt_flash_size_name(uint8_t code);
/* "dio", ...; NULL when the mode has no name. And back; -1 when there is no such mode. */
const char *fmt_spi_mode_name(uint8_t mode);
int fmt_spi_mode_by_name(const char *name);
/* "80m", ... for a chip's speed code; NULL when the chip has no such code. And back, or -1. */
const char *fmt_spi_speed_name(const fmt_chip_t *chip, uint8_t code);
int fmt_spi_speed_by_name(const fmt_chip_t *chip, const char *name);

/* Room a signature takes behind the image (5.3). */
typedef enum {
    FMT_IMAGE_SIGNATURE_NONE = 0,
    FMT_IMAGE_SIGNATURE_V1, /* 68 bytes */
    FMT_IMAGE_SIGNATURE_V2, /* padding to 4096, one sector of 4096 */
} fmt_image_signature_t;

/* What to verify, and against what. */
typedef struct {
    const fmt_chip_t *chip;  /* never NULL */
    uint32_t flash_address;  /* where the image starts in flash */
    uint32_t partition_size; /* bytes it may occupy from there */
    uint32_t mmu_page;       /* page size of this build in bytes, a power of two; 0: 64 KiB */
    uint16_t chip_revision;  /* major * 100 + minor */
    uint16_t efuse_blk_rev;  /* same */
    uint32_t secure_version; /* of the chip, with FMT_IMAGE_CHECK_SECURE_VERSION */
    fmt_image_signature_t signature; /* the image is followed by one, which must fit too */
    uint32_t flags;                  /* FMT_IMAGE_* below */
} fmt_image_params_t;

/* The image is a bootloader: no maximum revision, no application descriptor, no hash check. */
#define FMT_IMAGE_BOOTLOADER 0x01u
/* Leave out chip id, revisions and eFuse block revision. */
#define FMT_IMAGE_SKIP_CHIP 0x02u
/* Leave out checksum and hash; they are not even calculated. */
#define FMT_IMAGE_SKIP_DIGESTS 0x04u
/* Loading without validation (4.7). */
#define FMT_IMAGE_NO_VALIDATE (FMT_IMAGE_SKIP_CHIP | FMT_IMAGE_SKIP_DIGESTS)
/* Metadata only: asks for headers, the application descriptor and the stored digest, and leaves
 * segment data out; implies FMT_IMAGE_NO_VALIDATE. */
#define FMT_IMAGE_METADATA (0x08u | FMT_IMAGE_NO_VALIDATE)
/* Check the appended hash of a bootloader image too. */
#define FMT_IMAGE_BOOTLOADER_HASH 0x10u
/* Calculate checksum and hash and go on when they are wrong (inspection tools): compare
 * checksum_ok and digest_ok yourself. */
#define FMT_IMAGE_REPORT_DIGESTS 0x20u
/* Anti-rollback: the application's secure version must not be below secure_version. */
#define FMT_IMAGE_CHECK_SECURE_VERSION 0x40u
/* The chip's "ignore maximum revision" eFuse bits. */
#define FMT_IMAGE_IGNORE_MAX_REV     0x80u
#define FMT_IMAGE_IGNORE_MAX_BLK_REV 0x100u

/* Outcome: the first rule of 5.6 that failed. */
typedef enum {
    FMT_IMAGE_OK = 0,
    FMT_IMAGE_BAD_ARGUMENT,      /* params make no sense, or feed() got more than was needed */
    FMT_IMAGE_PARTITION_TOO_BIG, /* 2 */
    FMT_IMAGE_BAD_MAGIC,         /* 4 */
    FMT_IMAGE_WRONG_CHIP,        /* 5 */
    FMT_IMAGE_CHIP_TOO_OLD,      /* 6 */
    FMT_IMAGE_CHIP_TOO_NEW,      /* 7 */
    FMT_IMAGE_SEGMENT_COUNT,     /* 8 */
    FMT_IMAGE_SEGMENT_LENGTH,    /* 9 */
    FMT_IMAGE_NO_ROOM_FOR_DESC,  /* 10 */
    FMT_IMAGE_NO_DESC,           /* 11 */
    FMT_IMAGE_BAD_MAPPING,       /* 12 */
    FMT_IMAGE_BAD_LOAD_ADDRESS,  /* 13: see fmt_image_refuse_segment() */
    FMT_IMAGE_BLK_REV_TOO_OLD,   /* 14 */
    FMT_IMAGE_BLK_REV_TOO_NEW,   /* 14 */
    FMT_IMAGE_WRAPPED,           /* 15 */
    FMT_IMAGE_BAD_CHECKSUM,      /* 16 */
    FMT_IMAGE_DOES_NOT_FIT,      /* 17, also found earlier, where a part would pass the end */
    FMT_IMAGE_BAD_HASH,          /* 18 */
    FMT_IMAGE_SECURE_VERSION,    /* 19 */
    FMT_IMAGE_HASH_ENGINE,       /* the SHA-256 implementation reported an error */
} fmt_image_status_t;

typedef struct {
    uint32_t load_address;
    uint32_t length;
    uint32_t data_offset; /* of its first data byte in the image */
    fmt_segment_use_t use;
} fmt_image_segment_t;

typedef enum {
    FMT_IMAGE_NEED_HEADER,
    FMT_IMAGE_NEED_SEGMENT_HEADER,
    FMT_IMAGE_NEED_SEGMENT_DATA,
    FMT_IMAGE_NEED_TRAILER, /* padding and checksum byte */
    FMT_IMAGE_NEED_DIGEST,
    FMT_IMAGE_NEED_DONE,
} fmt_image_need_kind_t;

typedef struct {
    fmt_image_need_kind_t kind;
    uint32_t offset;    /* from the start of the image */
    uint32_t remaining; /* bytes of this piece still to be fed; 0 only for an empty segment */
    /* FMT_IMAGE_NEED_SEGMENT_DATA: */
    unsigned segment;
    bool segment_start; /* nothing of it was fed yet: place it, print its line */
    uint32_t load_address;
    uint32_t length; /* of the whole segment */
    fmt_segment_use_t use;
} fmt_image_need_t;

typedef struct {
    /* Results: valid once the step that sets them has passed. */
    fmt_image_status_t status;
    fmt_image_header_t header;
    unsigned segment_count; /* segment headers read so far, the one that failed included */
    fmt_image_segment_t segments[FMT_IMAGE_MAX_SEGMENTS];
    bool has_desc; /* app_desc holds the application descriptor of an application image */
    fmt_app_desc_t app_desc;
    uint32_t mmu_page; /* in force for this image, bytes */
    uint8_t checksum;  /* calculated and stored */
    uint8_t stored_checksum;
    bool checksum_ok;
    uint8_t digest[FMT_IMAGE_DIGEST_SIZE]; /* calculated, over everything before the digest */
    uint8_t stored_digest[FMT_IMAGE_DIGEST_SIZE];
    bool digest_ok;
    uint32_t image_len; /* L of section 5.3, known from the trailer on */

    /* Details of a failure. */
    unsigned bad_segment;
    uint32_t value;    /* what was found */
    uint32_t expected; /* what the rule wanted */
    const char *why;   /* FMT_IMAGE_BAD_LOAD_ADDRESS */

    /* Private from here on. */
    fmt_image_params_t params;
    fmt_image_need_kind_t stage;
    uint32_t position; /* image offset of the next byte */
    uint32_t piece_left;
    uint32_t xor_sum;
    bool hashing;
    bool doubting; /* the header says that there is no hash; see whether there is one */
    bool sha_live;
    uint32_t buffered;
    uint8_t buffer[FMT_APP_DESC_SIZE]; /* a header or the descriptor, while it is collected */
    mbedtls_sha256_context sha;
} fmt_image_verifier_t;

/* Starts. v need not be initialised; whatever happens, call fmt_image_end() when done with it. */
fmt_image_status_t fmt_image_begin(fmt_image_verifier_t *v, const fmt_image_params_t *params);

/* What to read next. False: finished, v->status says how. */
bool fmt_image_need(const fmt_image_verifier_t *v, fmt_image_need_t *need);

/* Takes the next len bytes of the image: 1 .. need.remaining (0 for an empty segment, whose
 * SEGMENT_DATA turn must be fed too). Returns v->status; anything but FMT_IMAGE_OK is final.
 * data may be changed or freed after the call. */
fmt_image_status_t fmt_image_feed(fmt_image_verifier_t *v, const void *data, size_t len);

/* The loader found no place for the segment it was just asked for: ends with
 * FMT_IMAGE_BAD_LOAD_ADDRESS. why: short text, static storage (as from hal_loader_place()). */
fmt_image_status_t fmt_image_refuse_segment(fmt_image_verifier_t *v, const char *why);

/* Frees the hash context (which may be a hardware engine). Results stay. Safe to call twice. */
void fmt_image_end(fmt_image_verifier_t *v);

/* The error code of an outcome. */
esp_err_t fmt_image_status_err(fmt_image_status_t status);

/* The log line that explains v->status; false when there is nothing to say. line->not_silent:
 * left out by a silent verification. */
bool fmt_image_status_line(const fmt_image_verifier_t *v, fmt_log_line_t *line);

/* The line "segment %d: paddr=..." of the segment that need describes; for segment_start, not when
 * silent. loading: the caller loads (says "load"); an application that only verifies does not. */
void fmt_image_segment_line(const fmt_image_verifier_t *v, const fmt_image_need_t *need,
                            bool loading, fmt_log_line_t *line);

/* The early test of a download (end of 5.6): rules 5 to 7 alone, on a header.
 * FMT_IMAGE_OK, WRONG_CHIP, CHIP_TOO_OLD or CHIP_TOO_NEW; with line non-NULL also the line. */
fmt_image_status_t fmt_image_check_chip(const fmt_image_header_t *header,
                                        const fmt_image_params_t *params, fmt_log_line_t *line);

/* --- making images --- */

/* Continues the checksum over segment data. Start with FMT_IMAGE_CHECKSUM_SEED. */
uint8_t fmt_image_checksum(uint8_t sum, const void *data, size_t len);

/* Offset of the checksum byte, when headers and segments end at end (bytes from the start). */
uint32_t fmt_image_checksum_offset(uint32_t end);

/* Writes a segment header, FMT_IMAGE_SEGMENT_HEADER_SIZE bytes. */
void fmt_image_segment_header_encode(uint32_t load_address, uint32_t length, void *raw);

#endif
