/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift image build: from an ELF file to an application or bootloader image.
 *
 * `linux`: two segments, the descriptor and the stripped ELF itself (docs/architecture.md).
 * Every other chip: the ELF's sections (or loadable segments), laid out so that flash-mapped ones
 * start on the right offset within a page (formats specification, 5.8). */
#include <elf.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "elf_file.h"
#include "file.h"
#include "formats/bootloader_desc.h"
#include "image_tool.h"
#include "mbedtls/sha256.h"
#include "ui.h"

#define VERB "image build"

#define APP_DESC_SECTION        ".flash.appdesc"
#define BOOTLOADER_DESC_SECTION ".dram0.bootdesc"
#define PAGE                    FMT_MMU_PAGE_DEFAULT
#define ELF_MAX                 (256u << 20)

/* Where the linux board expects the parts of its images. */
#define LINUX_APP_DESC_ADDRESS        0x3C000020u
#define LINUX_BOOTLOADER_DESC_ADDRESS 0x3FC80000u
#define LINUX_ELF_ADDRESS             0x80000000u

/* A stretch of memory to be loaded or mapped. data is owned; len is a multiple of 4. */
typedef struct {
    uint32_t address;
    uint8_t *data;
    size_t len;
    bool first; /* descriptor: stands before all others of its kind */
} piece_t;

/* Pieces wanted before merging; an image has at most FMT_IMAGE_MAX_SEGMENTS. */
#define PIECES_MAX 256

typedef struct {
    const char *elf_path;
    const char *stripped_path;
    const char *out_path;
    const fmt_chip_t *chip;
    const char *flash_mode;
    const char *flash_freq;
    const char *flash_size;
    uint64_t min_rev;
    uint64_t min_rev_full;
    uint64_t max_rev_full;
    bool use_segments;
    bool no_digest;
} options_t;

typedef struct {
    const options_t *options;
    uint8_t *file; /* the ELF */
    size_t file_len;
    uint8_t *stripped; /* NULL: none given */
    size_t stripped_len;
    elf_t elf;
    bool bootloader;
    elf_section_t desc; /* the descriptor's section */
    uint32_t entry;
    piece_t pieces[PIECES_MAX];
    size_t piece_count;
    uint8_t *image;
    size_t image_len;
    size_t image_size;
    unsigned segments;
} build_t;

/* --- pieces --- */

/* Copies len bytes and pads them with zeros to a multiple of 4. */
static bool add_piece(build_t *b, uint64_t address, const uint8_t *data, uint64_t len, bool first)
{
    size_t padded = (size_t)((len + 3) & ~(uint64_t)3);
    piece_t *piece = &b->pieces[b->piece_count];

    if (b->piece_count == PIECES_MAX) {
        ui_error("%s: more than %d loadable sections", b->options->elf_path, PIECES_MAX);
        return false;
    }
    if (address + padded > (uint64_t)UINT32_MAX + 1) {
        ui_error("%s: section at 0x%" PRIx64 ": address does not fit 32 bits", b->options->elf_path,
                 address);
        return false;
    }
    piece->data = calloc(1, padded);
    if (piece->data == NULL) {
        ui_error("%s: out of memory", b->options->elf_path);
        return false;
    }
    memcpy(piece->data, data, (size_t)len);
    piece->address = (uint32_t)address;
    piece->len = padded;
    piece->first = first;
    b->piece_count++;
    return true;
}

static bool is_mapped(const build_t *b, uint32_t address)
{
    return fmt_chip_segment_use(b->options->chip, address, PAGE) == FMT_SEGMENT_MAP;
}

static bool collect_sections(build_t *b)
{
    for (unsigned i = 0; i < b->elf.section_count; i++) {
        elf_section_t section;
        bool first;

        if (!elf_section(&b->elf, i, &section)) {
            ui_error("%s: section %u lies outside the file", b->options->elf_path, i);
            return false;
        }
        if (section.data == NULL || section.size == 0 || section.address == 0 ||
            (section.type != SHT_PROGBITS && section.type != SHT_INIT_ARRAY &&
             section.type != SHT_FINI_ARRAY && section.type != SHT_PREINIT_ARRAY)) {
            continue;
        }
        first = strcmp(section.name, APP_DESC_SECTION) == 0 ||
                strcmp(section.name, BOOTLOADER_DESC_SECTION) == 0;
        if (!add_piece(b, section.address, section.data, section.size, first)) {
            return false;
        }
    }
    return true;
}

static bool collect_segments(build_t *b)
{
    elf_load_t load;

    for (unsigned i = 0; elf_load(&b->elf, i, &load); i++) {
        bool first = b->desc.address >= load.virtual_address &&
                     b->desc.address - load.virtual_address < load.file_size;

        if (!add_piece(b, load.physical_address, b->file + load.file_offset, load.file_size,
                       first)) {
            return false;
        }
    }
    return true;
}

/* Joins pieces that follow each other in the list and in memory. */
static bool merge_pieces(build_t *b)
{
    for (size_t i = b->piece_count; i-- > 1;) {
        piece_t *before = &b->pieces[i - 1];
        piece_t *piece = &b->pieces[i];
        uint8_t *joined;

        if (before->address + before->len != piece->address ||
            fmt_chip_memory(b->options->chip, before->address, PAGE) !=
                fmt_chip_memory(b->options->chip, piece->address, PAGE)) {
            continue;
        }
        joined = realloc(before->data, before->len + piece->len);
        if (joined == NULL) {
            ui_error("%s: out of memory", b->options->elf_path);
            return false;
        }
        memcpy(joined + before->len, piece->data, piece->len);
        before->data = joined;
        before->len += piece->len;
        free(piece->data);
        b->piece_count--;
        memmove(piece, piece + 1, (b->piece_count - i) * sizeof(*piece));
    }
    if (b->piece_count > FMT_IMAGE_MAX_SEGMENTS) {
        ui_error("%s: %zu separate memory areas, an image holds at most %u", b->options->elf_path,
                 b->piece_count, FMT_IMAGE_MAX_SEGMENTS);
        return false;
    }
    return true;
}

static int by_address(const void *a, const void *b)
{
    const piece_t *left = a;
    const piece_t *right = b;

    if (left->first != right->first) {
        return left->first ? -1 : 1;
    }
    return left->address < right->address ? -1 : left->address > right->address;
}

/* --- the image --- */

static bool append(build_t *b, const void *data, size_t len)
{
    if (b->image_size - b->image_len < len) {
        size_t size = (b->image_len + len) * 2;
        uint8_t *larger = realloc(b->image, size);

        if (larger == NULL) {
            ui_error("%s: out of memory", b->options->out_path);
            return false;
        }
        b->image = larger;
        b->image_size = size;
    }
    if (data != NULL) {
        memcpy(b->image + b->image_len, data, len);
    } else {
        memset(b->image + b->image_len, 0, len);
    }
    b->image_len += len;
    return true;
}

/* data NULL: zeros. */
static bool append_segment(build_t *b, uint32_t address, const uint8_t *data, size_t len)
{
    uint8_t header[FMT_IMAGE_SEGMENT_HEADER_SIZE];

    if (len >= fmt_chip_image_limit(b->options->chip)) {
        ui_error("%s: segment at 0x%08" PRIx32 ": 0x%zx bytes: must be below 0x%" PRIx32,
                 b->options->elf_path, address, len, fmt_chip_image_limit(b->options->chip));
        return false;
    }
    fmt_image_segment_header_encode(address, (uint32_t)len, header);
    b->segments++;
    return append(b, header, sizeof(header)) && append(b, data, len);
}

/* Fills up to where the mapped piece may start: with the beginning of the first RAM piece if there
 * is one and the gap is worth a header, else with a padding segment. */
static bool fill_gap(build_t *b, uint32_t address, piece_t *ram, size_t ram_count)
{
    int64_t gap = (int64_t)(PAGE - b->image_len % PAGE) + (int64_t)(address % PAGE) - 8 - 8;

    if (gap < 0) {
        gap += PAGE;
    }
    /* RAM pieces that were used up have length 0. */
    while (ram_count > 0 && ram->len == 0) {
        ram++;
        ram_count--;
    }
    if (ram_count > 0 && gap > 8) {
        size_t take = ram->len < (size_t)gap ? ram->len : (size_t)gap;

        if (!append_segment(b, ram->address, ram->data, take)) {
            return false;
        }
        memmove(ram->data, ram->data + take, ram->len - take);
        ram->address += (uint32_t)take;
        ram->len -= take;
        return true;
    }
    return append_segment(b, 0, NULL, (size_t)gap);
}

static bool lay_out(build_t *b)
{
    piece_t mapped[PIECES_MAX] = {0};
    piece_t ram[PIECES_MAX] = {0};
    size_t mapped_count = 0;
    size_t ram_count = 0;

    for (size_t i = 0; i < b->piece_count; i++) {
        if (is_mapped(b, b->pieces[i].address)) {
            mapped[mapped_count++] = b->pieces[i];
        } else {
            ram[ram_count++] = b->pieces[i];
        }
    }
    qsort(mapped, mapped_count, sizeof(*mapped), by_address);
    qsort(ram, ram_count, sizeof(*ram), by_address);
    for (size_t i = 0; i < mapped_count; i++) {
        if (i > 0 && mapped[i].address / PAGE == mapped[i - 1].address / PAGE) {
            ui_error("%s: areas at 0x%08" PRIx32 " and 0x%08" PRIx32
                     " share a flash page; the linker script must keep them apart",
                     b->options->elf_path, mapped[i - 1].address, mapped[i].address);
            return false;
        }
        while ((b->image_len + 8) % PAGE != mapped[i].address % PAGE) {
            if (!fill_gap(b, mapped[i].address, ram, ram_count)) {
                return false;
            }
        }
        if (!append_segment(b, mapped[i].address, mapped[i].data, mapped[i].len)) {
            return false;
        }
    }
    for (size_t i = 0; i < ram_count; i++) {
        if (ram[i].len > 0 && !append_segment(b, ram[i].address, ram[i].data, ram[i].len)) {
            return false;
        }
    }
    return true;
}

static bool write_header(build_t *b)
{
    const options_t *o = b->options;
    fmt_image_header_t header = {
        .magic = FMT_IMAGE_MAGIC,
        .entry = b->entry,
        .wp_pin = FMT_IMAGE_WP_PIN_DISABLED,
        .chip_id = o->chip->id,
        .min_chip_rev = (uint8_t)o->min_rev,
        .min_chip_rev_full = (uint16_t)o->min_rev_full,
        .max_chip_rev_full = (uint16_t)o->max_rev_full,
        .hash_appended = !o->no_digest,
    };
    uint8_t raw[FMT_IMAGE_HEADER_SIZE];
    uint64_t bytes;
    int mode = fmt_spi_mode_by_name(o->flash_mode);
    int speed = fmt_spi_speed_by_name(o->chip, o->flash_freq);
    int size = ui_parse_number(o->flash_size, true, UINT32_MAX, &bytes)
                   ? fmt_flash_size_code((uint32_t)bytes)
                   : -1;

    if (mode < 0 || mode > FMT_SPI_MODE_DOUT) {
        ui_error("--flash-mode: %s: must be qio, qout, dio or dout", o->flash_mode);
        return false;
    }
    if (speed < 0) {
        ui_error("--flash-freq: %s: not a frequency of %s", o->flash_freq, o->chip->name);
        return false;
    }
    if (size < 0) {
        ui_error("--flash-size: %s: must be a power of two from 1MB to 128MB", o->flash_size);
        return false;
    }
    header.spi_mode = (uint8_t)mode;
    header.spi_speed = (uint8_t)speed;
    header.spi_size = (uint8_t)size;
    fmt_image_header_encode(&header, raw);
    return append(b, raw, sizeof(raw));
}

/* Puts the hash of the ELF into the descriptor at the start of the image. */
static bool patch_elf_hash(build_t *b, uint8_t *descriptor)
{
    static const uint8_t zero[32];
    uint8_t *place = descriptor + FMT_APP_DESC_ELF_SHA256_OFFSET;

    if (memcmp(place, zero, sizeof(zero)) != 0) {
        ui_error("%s: " APP_DESC_SECTION ": the field for the ELF's SHA-256 is not zero",
                 b->options->elf_path);
        return false;
    }
    if (mbedtls_sha256(b->file, b->file_len, place, 0) != 0) {
        ui_error("%s: SHA-256 failed", b->options->elf_path);
        return false;
    }
    return true;
}

static bool finish_image(build_t *b)
{
    uint8_t checksum = FMT_IMAGE_CHECKSUM_SEED;
    size_t at = FMT_IMAGE_HEADER_SIZE;

    if (b->segments > FMT_IMAGE_MAX_SEGMENTS) {
        ui_error("%s: %u segments: an image holds at most %u", b->options->elf_path, b->segments,
                 FMT_IMAGE_MAX_SEGMENTS);
        return false;
    }
    if (!b->bootloader) {
        /* Segment 0 begins with the descriptor: lay_out() and the linux layout both see to it. */
        fmt_app_desc_t desc;

        if (b->image_len < FMT_APP_DESC_IMAGE_OFFSET + FMT_APP_DESC_SIZE ||
            fmt_app_desc_decode(b->image + FMT_APP_DESC_IMAGE_OFFSET, FMT_APP_DESC_SIZE, &desc) !=
                ESP_OK) {
            ui_error("%s: " APP_DESC_SECTION
                     " is not the first data of the image; it must be flash-mapped",
                     b->options->elf_path);
            return false;
        }
    }
    b->image[1] = (uint8_t)b->segments;
    for (unsigned i = 0; i < b->segments; i++) {
        const uint8_t *header = b->image + at;
        size_t len = header[4] | (header[5] << 8) | (header[6] << 16) | ((size_t)header[7] << 24);

        at += FMT_IMAGE_SEGMENT_HEADER_SIZE;
        checksum = fmt_image_checksum(checksum, b->image + at, len);
        at += len;
    }
    if (!append(b, NULL, fmt_image_checksum_offset((uint32_t)at) + 1 - at)) {
        return false;
    }
    b->image[b->image_len - 1] = checksum;
    if (!b->options->no_digest) {
        uint8_t digest[FMT_IMAGE_DIGEST_SIZE];

        if (mbedtls_sha256(b->image, b->image_len, digest, 0) != 0) {
            ui_error("%s: SHA-256 failed", b->options->out_path);
            return false;
        }
        return append(b, digest, sizeof(digest));
    }
    return true;
}

/* --- the two kinds of layout --- */

/* Bytes from the start of an ELF file that running it needs: everything but what lies behind its
 * last loadable segment, as symbols and section headers do. */
static size_t length_to_run(const elf_t *elf)
{
    uint64_t end = elf->segment_offset + (uint64_t)elf->segment_count * elf->segment_size;
    elf_load_t load;

    for (unsigned i = 0; elf_load(elf, i, &load); i++) {
        if (load.file_offset + load.file_size > end) {
            end = load.file_offset + load.file_size;
        }
    }
    return end < elf->len ? (size_t)end : elf->len;
}

/* Makes the ELF header say that there are no sections. */
static void forget_sections(uint8_t *data)
{
    Elf64_Ehdr header;

    memcpy(&header, data, sizeof(header));
    header.e_shoff = 0;
    header.e_shnum = 0;
    header.e_shstrndx = 0;
    memcpy(data, &header, sizeof(header));
}

static bool build_linux(build_t *b)
{
    const uint8_t *payload = b->stripped != NULL ? b->stripped : b->file;
    size_t payload_len = b->stripped != NULL ? b->stripped_len : b->file_len;
    const char *payload_path =
        b->stripped != NULL ? b->options->stripped_path : b->options->elf_path;
    const size_t desc_size = b->bootloader ? FMT_BOOTLOADER_DESC_SIZE : FMT_APP_DESC_SIZE;
    size_t start;
    elf_t elf;
    uint64_t offset;
    const char *wrong = elf_open(&elf, payload, payload_len);

    if (wrong != NULL) {
        ui_error("%s: %s", payload_path, wrong);
        return false;
    }
    if (!elf_address_to_offset(&elf, b->desc.address, desc_size, &offset) ||
        memcmp(payload + offset, b->desc.data, desc_size) != 0) {
        ui_error("%s: does not hold the descriptor of %s", payload_path, b->options->elf_path);
        return false;
    }
    if (!elf.wide) {
        ui_error("%s: a 32-bit ELF; the board linux runs 64-bit ones", payload_path);
        return false;
    }
    payload_len = length_to_run(&elf);
    b->entry = LINUX_ELF_ADDRESS;
    start = b->image_len + FMT_IMAGE_SEGMENT_HEADER_SIZE;
    if (!append_segment(b, b->bootloader ? LINUX_BOOTLOADER_DESC_ADDRESS : LINUX_APP_DESC_ADDRESS,
                        b->desc.data, desc_size)) {
        return false;
    }
    if (!b->bootloader && !patch_elf_hash(b, b->image + start)) {
        return false;
    }
    /* The running program reads its own descriptor, so its copy carries the hash too. */
    uint8_t *padded = calloc(1, payload_len + 3);

    if (padded == NULL) {
        ui_error("%s: out of memory", payload_path);
        return false;
    }
    memcpy(padded, payload, payload_len);
    forget_sections(padded);
    memcpy(padded + offset, b->image + start, desc_size);
    bool done = append_segment(b, LINUX_ELF_ADDRESS, padded, (payload_len + 3) & ~(size_t)3);

    free(padded);
    return done;
}

static bool build_sections(build_t *b)
{
    if (b->elf.wide) {
        ui_error("%s: a 64-bit ELF; images of %s are made of 32-bit ones", b->options->elf_path,
                 b->options->chip->name);
        return false;
    }
    if (b->stripped != NULL) {
        ui_error("--stripped: only images of linux carry an ELF");
        return false;
    }
    if (!(b->options->use_segments ? collect_segments(b) : collect_sections(b)) ||
        !merge_pieces(b)) {
        return false;
    }
    for (size_t i = 0; i < b->piece_count; i++) {
        const piece_t *piece = &b->pieces[i];

        if (!is_mapped(b, piece->address) &&
            !fmt_chip_may_load(b->options->chip, piece->address, (uint32_t)piece->len)) {
            ui_error("%s: 0x%08" PRIx32 "-0x%08" PRIx64 ": no memory of %s can be loaded there",
                     b->options->elf_path, piece->address, (uint64_t)piece->address + piece->len,
                     b->options->chip->name);
            return false;
        }
    }
    if (!lay_out(b)) {
        return false;
    }
    if (!b->bootloader) {
        if (b->image_len < FMT_APP_DESC_IMAGE_OFFSET + FMT_APP_DESC_SIZE) {
            ui_error("%s: nothing to load", b->options->elf_path);
            return false;
        }
        return patch_elf_hash(b, b->image + FMT_APP_DESC_IMAGE_OFFSET);
    }
    return true;
}

static bool find_descriptor(build_t *b)
{
    const char *path = b->options->elf_path;
    fmt_app_desc_t app;
    fmt_bootloader_desc_t boot;

    if (elf_section_by_name(&b->elf, APP_DESC_SECTION, &b->desc)) {
        if (b->desc.data == NULL ||
            fmt_app_desc_decode(b->desc.data, b->desc.size, &app) != ESP_OK) {
            ui_error("%s: " APP_DESC_SECTION ": does not hold an application descriptor", path);
            return false;
        }
        return true;
    }
    if (elf_section_by_name(&b->elf, BOOTLOADER_DESC_SECTION, &b->desc)) {
        if (b->desc.data == NULL ||
            fmt_bootloader_desc_decode(b->desc.data, b->desc.size, &boot) != ESP_OK) {
            ui_error("%s: " BOOTLOADER_DESC_SECTION ": does not hold a bootloader descriptor",
                     path);
            return false;
        }
        b->bootloader = true;
        return true;
    }
    ui_error("%s: has neither a section " APP_DESC_SECTION
             " (application) nor " BOOTLOADER_DESC_SECTION " (bootloader)",
             path);
    return false;
}

/* What we write must pass what will read it. */
static bool check_result(const build_t *b)
{
    fmt_image_verifier_t v;
    fmt_image_params_t params = {
        .chip = b->options->chip,
        .partition_size = (uint32_t)b->image_len,
        .flags = FMT_IMAGE_SKIP_CHIP | FMT_IMAGE_BOOTLOADER_HASH |
                 (b->bootloader ? FMT_IMAGE_BOOTLOADER : 0),
    };
    char text[FMT_LOG_TEXT_SIZE];

    if (image_verify_memory(&v, &params, b->image, b->image_len) != FMT_IMAGE_OK) {
        ui_error("%s: cannot become a valid image: %s", b->options->elf_path,
                 image_status_text(&v, text, sizeof(text)));
        return false;
    }
    return true;
}

static bool build(build_t *b)
{
    const options_t *o = b->options;
    const char *wrong;

    if (!file_read(o->elf_path, ELF_MAX, &b->file, &b->file_len) ||
        (o->stripped_path != NULL &&
         !file_read(o->stripped_path, ELF_MAX, &b->stripped, &b->stripped_len))) {
        return false;
    }
    wrong = elf_open(&b->elf, b->file, b->file_len);
    if (wrong != NULL) {
        ui_error("%s: %s", o->elf_path, wrong);
        return false;
    }
    b->entry = (uint32_t)b->elf.entry;
    if (!find_descriptor(b) || !write_header(b)) {
        return false;
    }
    if (o->chip->id == FMT_CHIP_ID_LINUX) {
        if (!build_linux(b)) {
            return false;
        }
    } else if (!build_sections(b)) {
        return false;
    }
    /* The entry is known only now. */
    fmt_image_header_t header;

    fmt_image_header_decode(b->image, &header);
    header.entry = b->entry;
    fmt_image_header_encode(&header, b->image);
    return finish_image(b) && check_result(b) && file_write(o->out_path, b->image, b->image_len);
}

static void print_help(void)
{
    puts("usage: airlift image build --chip CHIP [options] ELF\n\n"
         "Makes an application image of an ELF with a section " APP_DESC_SECTION
         ", a bootloader\nimage of one with " BOOTLOADER_DESC_SECTION
         ". The result is verified before it is written.\n\n"
         "  -o, --output FILE    where to write it (default: ELF with .bin)\n"
         "  -c, --chip CHIP      linux, sifive_u, or a chip such as esp32c3\n"
         "  --stripped FILE      linux: the stripped ELF to put into the image (default: ELF)\n"
         "  --flash-mode MODE    qio, qout, dio (default), dout\n"
         "  --flash-freq FREQ    as the chip has it (default 80m, or the chip's highest)\n"
         "  --flash-size SIZE    1MB .. 128MB (default 2MB)\n"
         "  --min-rev N          legacy minimum revision byte (default 0)\n"
         "  --min-rev-full N     minimum chip revision, major * 100 + minor (default 0)\n"
         "  --max-rev-full N     maximum chip revision (default: the chip's)\n"
         "  --use-segments       take loadable segments, not sections\n"
         "  --dont-append-digest no SHA-256 behind the checksum\n"
         "  -h, --help\n\n"
         "Exit status: 0 written, 1 failed, 2 the command line was not understood.");
}

static bool small_number(const char *text, uint64_t max, uint64_t *value)
{
    return ui_parse_number(text, false, max, value);
}

static char *default_output(const char *elf_path)
{
    const char *slash = strrchr(elf_path, '/');
    const char *dot = strrchr(slash != NULL ? slash : elf_path, '.');
    size_t stem = dot != NULL && dot != elf_path ? (size_t)(dot - elf_path) : strlen(elf_path);
    char *path = malloc(stem + sizeof(".bin"));

    if (path != NULL) {
        memcpy(path, elf_path, stem);
        memcpy(path + stem, ".bin", sizeof(".bin"));
    }
    return path;
}

int image_build_main(int argc, char **argv)
{
    enum { STRIPPED = 256, MODE, FREQ, SIZE, MIN_REV, MIN_FULL, MAX_FULL, SEGMENTS, NO_DIGEST };
    static const struct option long_options[] = {
        {"output", required_argument, NULL, 'o'},
        {"chip", required_argument, NULL, 'c'},
        {"stripped", required_argument, NULL, STRIPPED},
        {"flash-mode", required_argument, NULL, MODE},
        {"flash-freq", required_argument, NULL, FREQ},
        {"flash-size", required_argument, NULL, SIZE},
        {"min-rev", required_argument, NULL, MIN_REV},
        {"min-rev-full", required_argument, NULL, MIN_FULL},
        {"max-rev-full", required_argument, NULL, MAX_FULL},
        {"use-segments", no_argument, NULL, SEGMENTS},
        {"dont-append-digest", no_argument, NULL, NO_DIGEST},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    options_t o = {.flash_mode = "dio", .flash_size = "2MB", .max_rev_full = UINT64_MAX};
    char *own_output = NULL;
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "o:c:h", long_options, NULL)) != -1) {
        bool understood = true;

        switch (option) {
        case 'o':
            o.out_path = optarg;
            break;
        case 'c':
            o.chip = fmt_chip_by_name(optarg);
            if (o.chip == NULL) {
                return ui_usage_error(VERB, "--chip: %s: no such chip", optarg);
            }
            break;
        case STRIPPED:
            o.stripped_path = optarg;
            break;
        case MODE:
            o.flash_mode = optarg;
            break;
        case FREQ:
            o.flash_freq = optarg;
            break;
        case SIZE:
            o.flash_size = optarg;
            break;
        case MIN_REV:
            understood = small_number(optarg, UINT8_MAX, &o.min_rev);
            break;
        case MIN_FULL:
            understood = small_number(optarg, UINT16_MAX, &o.min_rev_full);
            break;
        case MAX_FULL:
            understood = small_number(optarg, UINT16_MAX, &o.max_rev_full);
            break;
        case SEGMENTS:
            o.use_segments = true;
            break;
        case NO_DIGEST:
            o.no_digest = true;
            break;
        case 'h':
            print_help();
            return AIRLIFT_EXIT_OK;
        default:
            return ui_bad_option(VERB, argc, argv);
        }
        if (!understood) {
            return ui_usage_error(VERB, "%s: not a number in range", optarg);
        }
    }
    if (argc - optind != 1) {
        return ui_usage_error(VERB, "exactly one ELF file is needed");
    }
    if (o.chip == NULL) {
        return ui_usage_error(VERB, "--chip is needed");
    }
    o.elf_path = argv[optind];
    if (o.flash_freq == NULL) {
        o.flash_freq =
            fmt_spi_speed_by_name(o.chip, "80m") >= 0 ? "80m" : fmt_spi_speed_name(o.chip, 15);
    }
    if (o.max_rev_full == UINT64_MAX) {
        o.max_rev_full = o.chip->rev_max;
    }
    if (o.out_path == NULL) {
        own_output = default_output(o.elf_path);
        if (own_output == NULL) {
            ui_error("out of memory");
            return AIRLIFT_EXIT_FAILURE;
        }
        o.out_path = own_output;
    }

    build_t *b = calloc(1, sizeof(*b));
    bool done = b != NULL;

    if (done) {
        b->options = &o;
        done = build(b);
        for (size_t i = 0; i < b->piece_count; i++) {
            free(b->pieces[i].data);
        }
        free(b->file);
        free(b->stripped);
        free(b->image);
        free(b);
    } else {
        ui_error("out of memory");
    }
    free(own_output);
    return done ? AIRLIFT_EXIT_OK : AIRLIFT_EXIT_FAILURE;
}
