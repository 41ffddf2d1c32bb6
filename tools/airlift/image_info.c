/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift image info: everything an image says, with a verdict on each part. */
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "file.h"
#include "formats/bootloader_desc.h"
#include "image_tool.h"
#include "ui.h"

#define VERB     "image info"
#define FILE_MAX (512u << 20)

/* What was found, ready to be printed either way. */
typedef struct {
    const char *path;
    const uint8_t *data; /* the image, to the end of the file */
    size_t len;
    uint64_t offset; /* of the image in the file */
    const fmt_chip_t *chip;
    bool bootloader;
    bool has_bootloader_desc;
    fmt_bootloader_desc_t bootloader_desc;
    fmt_image_verifier_t v;
    unsigned problems;
    char problem[32][FMT_LOG_TEXT_SIZE];
} info_t;

/* For a chip id nobody knows: nothing is mapped, everything may be loaded. */
static const fmt_chip_t unknown_chip = {.name = "unknown", .title = "unknown chip"};

static void problem(info_t *info, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void problem(info_t *info, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (info->problems < sizeof(info->problem) / sizeof(info->problem[0])) {
        vsnprintf(info->problem[info->problems++], FMT_LOG_TEXT_SIZE, format, args);
    }
    va_end(args);
}

/* --- finding out --- */

static const char *memory_name(const info_t *info, const fmt_image_segment_t *segment)
{
    const char *name =
        fmt_mem_kind_name(fmt_chip_memory(info->chip, segment->load_address, info->v.mmu_page));

    return name[0] != '\0' ? name : segment->use == FMT_SEGMENT_NONE ? "not loaded" : "other";
}

static bool contains(const fmt_image_segment_t *segment, uint32_t address)
{
    return address >= segment->load_address && address - segment->load_address < segment->length;
}

static void examine_header(info_t *info)
{
    const fmt_image_header_t *h = &info->v.header;
    bool entry_found = false;

    if (info->chip == &unknown_chip) {
        problem(info, "chip id: 0x%04x: no such chip", h->chip_id);
    }
    if (fmt_spi_mode_name(h->spi_mode) == NULL) {
        problem(info, "flash mode: %u: must be 0 to 5", h->spi_mode);
    }
    if (fmt_flash_size_bytes(h->spi_size) == 0) {
        problem(info, "flash size: code %u: must be 0 to 7", h->spi_size);
    }
    if (info->chip != &unknown_chip && fmt_spi_speed_name(info->chip, h->spi_speed) == NULL) {
        problem(info, "flash frequency: code %u: %s has no such frequency", h->spi_speed,
                info->chip->title);
    }
    if (h->min_chip_rev_full != 0 && h->max_chip_rev_full != 0 &&
        h->min_chip_rev_full > h->max_chip_rev_full) {
        problem(info, "chip revision: the minimum is above the maximum");
    }
    if (h->hash_appended > 1) {
        problem(info, "hash appended: %u: must be 0 or 1", h->hash_appended);
    }
    for (unsigned i = 0; i < info->v.segment_count; i++) {
        entry_found = entry_found || (info->v.segments[i].use != FMT_SEGMENT_NONE &&
                                      contains(&info->v.segments[i], h->entry));
    }
    if (!entry_found && info->v.image_len > 0) {
        problem(info, "entry point: 0x%08" PRIx32 ": lies in no segment", h->entry);
    }
}

static void examine_segments(info_t *info)
{
    for (unsigned i = 0; i < info->v.segment_count; i++) {
        const fmt_image_segment_t *segment = &info->v.segments[i];

        /* A bootloader is loaded by a chip's ROM, which has its own idea of memory. */
        if (segment->use == FMT_SEGMENT_LOAD && !info->bootloader && info->chip != &unknown_chip &&
            !fmt_chip_may_load(info->chip, segment->load_address, segment->length)) {
            problem(info, "segment %u: 0x%08" PRIx32 "-0x%08" PRIx64 ": not in RAM of %s", i,
                    segment->load_address, (uint64_t)segment->load_address + segment->length,
                    info->chip->title);
        }
    }
}

static bool examine(info_t *info, const fmt_chip_t *forced)
{
    fmt_image_params_t params = {0};
    char text[FMT_LOG_TEXT_SIZE];
    fmt_image_header_t header;

    if (info->len < FMT_IMAGE_HEADER_SIZE) {
        ui_error("%s: %zu bytes at offset 0x%" PRIx64 ": too short for an image header", info->path,
                 info->len, info->offset);
        return false;
    }
    fmt_image_header_decode(info->data, &header);
    if (header.magic != FMT_IMAGE_MAGIC) {
        ui_error("%s: magic byte at offset 0x%" PRIx64 ": 0x%02x: an image starts with 0x%02x",
                 info->path, info->offset, header.magic, FMT_IMAGE_MAGIC);
        return false;
    }
    info->chip = forced != NULL ? forced : fmt_chip_by_id(header.chip_id);
    if (info->chip == NULL) {
        info->chip = &unknown_chip;
    }
    info->bootloader = image_is_bootloader(info->data, info->len);
    params.chip = info->chip;
    /* The fixed offset of a bootloader is a page boundary or near one; an application stands at
     * one. Within a page only the offset in the image counts. */
    params.flash_address = 0;
    params.partition_size = fmt_chip_image_limit(info->chip);
    params.flags = FMT_IMAGE_SKIP_CHIP | FMT_IMAGE_REPORT_DIGESTS |
                   (info->bootloader ? FMT_IMAGE_BOOTLOADER : 0);
    if (image_verify_memory(&info->v, &params, info->data, info->len) != FMT_IMAGE_OK) {
        problem(info, "%s", image_status_text(&info->v, text, sizeof(text)));
    } else {
        if (!info->v.checksum_ok) {
            problem(info, "checksum: 0x%02x: calculated 0x%02x", info->v.stored_checksum,
                    info->v.checksum);
        }
        if (info->v.header.hash_appended != 0 && !info->v.digest_ok) {
            problem(info, "SHA-256: does not match the content");
        }
    }
    if (forced != NULL && header.chip_id != forced->id) {
        problem(info, "chip id: 0x%04x: %s has 0x%04x", header.chip_id, forced->title, forced->id);
    }
    info->has_bootloader_desc =
        info->bootloader &&
        fmt_bootloader_desc_decode(info->data + FMT_BOOTLOADER_DESC_IMAGE_OFFSET,
                                   info->len > FMT_BOOTLOADER_DESC_IMAGE_OFFSET
                                       ? info->len - FMT_BOOTLOADER_DESC_IMAGE_OFFSET
                                       : 0,
                                   &info->bootloader_desc) == ESP_OK;
    examine_header(info);
    examine_segments(info);
    return true;
}

/* --- telling --- */

static const char *hex(const uint8_t *data, size_t len, char *text)
{
    for (size_t i = 0; i < len; i++) {
        sprintf(text + 2 * i, "%02x", data[i]);
    }
    return text;
}

static void heading(const char *text)
{
    printf("\n%s%s%s\n", ui_style(stdout, UI_BOLD), text, ui_style(stdout, UI_PLAIN));
    for (size_t i = 0; text[i] != '\0'; i++) {
        putchar('=');
    }
    putchar('\n');
}

static const char *verdict(bool good)
{
    static char text[32];

    snprintf(text, sizeof(text), "(%s%s%s)", ui_style(stdout, good ? UI_GREEN : UI_RED),
             good ? "valid" : "invalid", ui_style(stdout, UI_PLAIN));
    return text;
}

/* A text field for the terminal: control characters become dots. */
static const char *shown(char *out, size_t size, const char *field, size_t field_size)
{
    fmt_text_field(out, size, field, field_size);
    for (char *p = out; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7F) {
            *p = '.';
        }
    }
    return out;
}

#define SHOWN(buffer, field) shown(buffer, sizeof(buffer), field, sizeof(field))

static void print_header(const info_t *info)
{
    const fmt_image_header_t *h = &info->v.header;
    const char *mode = fmt_spi_mode_name(h->spi_mode);
    const char *speed = fmt_spi_speed_name(info->chip, h->spi_speed);

    heading("Image header");
    printf("Entry point: 0x%08" PRIx32 "\nSegments: %u\n", h->entry, h->segment_count);
    printf("Flash size: %s (code %u)\n",
           fmt_flash_size_bytes(h->spi_size) != 0 ? fmt_flash_size_name(h->spi_size) : "unknown",
           h->spi_size);
    printf("Flash freq: %s (code %u)\n", speed != NULL ? speed : "unknown", h->spi_speed);
    printf("Flash mode: %s (code %u)\n", mode != NULL ? mode : "unknown", h->spi_mode);

    heading("Extended image header");
    printf("WP pin: 0x%02x%s\n", h->wp_pin,
           h->wp_pin == FMT_IMAGE_WP_PIN_DISABLED ? " (disabled)" : "");
    printf("Flash pins drive settings: clk 0x%x, q 0x%x, d 0x%x, cs 0x%x, hd 0x%x, wp 0x%x\n",
           h->spi_pin_drv[0] & 15, h->spi_pin_drv[0] >> 4, h->spi_pin_drv[1] & 15,
           h->spi_pin_drv[1] >> 4, h->spi_pin_drv[2] & 15, h->spi_pin_drv[2] >> 4);
    printf("Chip ID: %u, 0x%04x (%s)\n", h->chip_id, h->chip_id, info->chip->title);
    printf("Minimal chip revision: v%u.%u (legacy %u)\n", h->min_chip_rev_full / 100u,
           h->min_chip_rev_full % 100u, h->min_chip_rev);
    if (h->max_chip_rev_full == 0 || h->max_chip_rev_full == UINT16_MAX) {
        printf("Maximal chip revision: none\n");
    } else {
        printf("Maximal chip revision: v%u.%u\n", h->max_chip_rev_full / 100u,
               h->max_chip_rev_full % 100u);
    }
    printf("Hash appended: %s\n", h->hash_appended != 0 ? "yes" : "no");
}

static void print_segments(const info_t *info)
{
    heading("Segments");
    printf("Segment  Length      Load addr   File offs   Memory\n");
    for (unsigned i = 0; i < info->v.segment_count; i++) {
        const fmt_image_segment_t *s = &info->v.segments[i];
        static const char *const uses[] = {"", ", mapped", ", loaded"};

        printf("%7u  0x%08" PRIx32 "  0x%08" PRIx32 "  0x%08" PRIx32 "  %s%s\n", i, s->length,
               s->load_address, s->data_offset - FMT_IMAGE_SEGMENT_HEADER_SIZE,
               memory_name(info, s), uses[s->use]);
    }
}

static void print_footer(const info_t *info)
{
    char text[65];

    if (info->v.image_len == 0) {
        return; /* never got there */
    }
    heading("Image footer");
    printf("Checksum: 0x%02x %s\n", info->v.stored_checksum, verdict(info->v.checksum_ok));
    if (info->v.header.hash_appended != 0) {
        printf("Validation hash: %s %s\n", hex(info->v.stored_digest, FMT_IMAGE_DIGEST_SIZE, text),
               verdict(info->v.digest_ok));
    }
}

static void print_descriptor(const info_t *info)
{
    char text[65], text2[33];

    if (info->v.has_desc) {
        const fmt_app_desc_t *d = &info->v.app_desc;

        heading("Application information");
        printf("Project name: %s\n", SHOWN(text, d->project_name));
        printf("App version: %s\n", SHOWN(text, d->version));
        printf("Compile time: %s %s\n", SHOWN(text, d->date), SHOWN(text2, d->time));
        printf("ELF file SHA256: %s\n", hex(d->app_elf_sha256, sizeof(d->app_elf_sha256), text));
        printf("ESP-IDF: %s\n", SHOWN(text, d->idf_ver));
        printf("Minimal eFuse block revision: %u.%u\n", d->min_efuse_blk_rev_full / 100u,
               d->min_efuse_blk_rev_full % 100u);
        printf("Maximal eFuse block revision: %u.%u\n", d->max_efuse_blk_rev_full / 100u,
               d->max_efuse_blk_rev_full % 100u);
        if (fmt_app_desc_mmu_page(d) != 0) {
            printf("MMU page size: %" PRIu32 " KB\n", fmt_app_desc_mmu_page(d) / 1024);
        }
        printf("SPI flash mode: %s\n", fmt_app_desc_spi_mode_name(d->spi_flash_mode));
        printf("Secure version: %" PRIu32 "\n", d->secure_version);
    } else if (info->has_bootloader_desc) {
        const fmt_bootloader_desc_t *d = &info->bootloader_desc;

        heading("Bootloader information");
        printf("Bootloader version: %" PRIu32 "\n", d->version);
        printf("ESP-IDF: %s\n", SHOWN(text, d->idf_ver));
        printf("Compile time: %s\n", SHOWN(text, d->date_time));
        printf("Secure version: %u\n", d->secure_version);
    } else {
        printf("\nNo descriptor.\n");
    }
}

static void print_text(const info_t *info)
{
    printf("Image size: %" PRIu32 " bytes\n", info->v.image_len);
    if (info->v.image_len != 0 && info->len != info->v.image_len) {
        printf("Bytes behind the image: %zu\n", info->len - info->v.image_len);
    }
    printf("Detected image type: %s %s\n", info->chip->title,
           info->bootloader ? "bootloader" : "application");
    print_header(info);
    print_segments(info);
    print_footer(info);
    print_descriptor(info);
    printf("\nVerdict: %s%s%s\n", ui_style(stdout, info->problems == 0 ? UI_GREEN : UI_RED),
           info->problems == 0 ? "valid" : "invalid", ui_style(stdout, UI_PLAIN));
    for (unsigned i = 0; i < info->problems; i++) {
        printf("  - %s\n", info->problem[i]);
    }
}

static void json_field(const char *name, const char *field, size_t size)
{
    char text[65];

    printf("    \"%s\": ", name);
    ui_json_string(stdout, fmt_text_field(text, sizeof(text), field, size));
    printf(",\n");
}

static void json_descriptor(const info_t *info)
{
    char text[65];

    if (info->v.has_desc) {
        const fmt_app_desc_t *d = &info->v.app_desc;

        printf("  \"app\": {\n");
        json_field("project_name", d->project_name, sizeof(d->project_name));
        json_field("version", d->version, sizeof(d->version));
        json_field("date", d->date, sizeof(d->date));
        json_field("time", d->time, sizeof(d->time));
        json_field("idf_ver", d->idf_ver, sizeof(d->idf_ver));
        printf("    \"elf_sha256\": \"%s\",\n    \"secure_version\": %" PRIu32 ",\n",
               hex(d->app_elf_sha256, sizeof(d->app_elf_sha256), text), d->secure_version);
        printf("    \"min_efuse_blk_rev_full\": %u,\n    \"max_efuse_blk_rev_full\": %u,\n",
               d->min_efuse_blk_rev_full, d->max_efuse_blk_rev_full);
        printf("    \"mmu_page_size\": %" PRIu32 ",\n    \"spi_flash_mode\": \"%s\"\n  },\n",
               fmt_app_desc_mmu_page(d), fmt_app_desc_spi_mode_name(d->spi_flash_mode));
    }
    if (info->has_bootloader_desc) {
        const fmt_bootloader_desc_t *d = &info->bootloader_desc;

        printf("  \"bootloader\": {\n");
        json_field("idf_ver", d->idf_ver, sizeof(d->idf_ver));
        json_field("date_time", d->date_time, sizeof(d->date_time));
        printf("    \"version\": %" PRIu32 ",\n    \"secure_version\": %u\n  },\n", d->version,
               d->secure_version);
    }
}

static void print_json(const info_t *info)
{
    const fmt_image_header_t *h = &info->v.header;
    const char *mode = fmt_spi_mode_name(h->spi_mode);
    const char *speed = fmt_spi_speed_name(info->chip, h->spi_speed);
    char text[65];

    printf("{\n  \"file\": ");
    ui_json_string(stdout, info->path);
    printf(",\n  \"offset\": %" PRIu64 ",\n  \"type\": \"%s\",\n  \"chip\": \"%s\",\n",
           info->offset, info->bootloader ? "bootloader" : "app", info->chip->name);
    printf("  \"chip_id\": %u,\n  \"image_size\": %" PRIu32 ",\n  \"entry\": %" PRIu32 ",\n",
           h->chip_id, info->v.image_len, h->entry);
    printf("  \"flash_size\": \"%s\",\n  \"flash_freq\": \"%s\",\n  \"flash_mode\": \"%s\",\n",
           fmt_flash_size_bytes(h->spi_size) != 0 ? fmt_flash_size_name(h->spi_size) : "unknown",
           speed != NULL ? speed : "unknown", mode != NULL ? mode : "unknown");
    printf("  \"min_rev\": %u,\n  \"min_rev_full\": %u,\n  \"max_rev_full\": %u,\n",
           h->min_chip_rev, h->min_chip_rev_full, h->max_chip_rev_full);
    printf("  \"segments\": [");
    for (unsigned i = 0; i < info->v.segment_count; i++) {
        const fmt_image_segment_t *s = &info->v.segments[i];

        printf("%s\n    {\"load_address\": %" PRIu32 ", \"length\": %" PRIu32
               ", \"file_offset\": %" PRIu32 ", \"memory\": \"%s\"}",
               i > 0 ? "," : "", s->load_address, s->length,
               s->data_offset - FMT_IMAGE_SEGMENT_HEADER_SIZE, memory_name(info, s));
    }
    printf("%s],\n", info->v.segment_count > 0 ? "\n  " : "");
    if (info->v.image_len != 0) {
        printf("  \"checksum\": %u,\n  \"checksum_valid\": %s,\n", info->v.stored_checksum,
               info->v.checksum_ok ? "true" : "false");
        if (h->hash_appended != 0) {
            printf("  \"sha256\": \"%s\",\n  \"sha256_valid\": %s,\n",
                   hex(info->v.stored_digest, FMT_IMAGE_DIGEST_SIZE, text),
                   info->v.digest_ok ? "true" : "false");
        }
    }
    json_descriptor(info);
    printf("  \"problems\": [");
    for (unsigned i = 0; i < info->problems; i++) {
        printf("%s", i > 0 ? ", " : "");
        ui_json_string(stdout, info->problem[i]);
    }
    printf("],\n  \"valid\": %s\n}\n", info->problems == 0 ? "true" : "false");
}

static void print_help(void)
{
    puts("usage: airlift image info [options] FILE\n\n"
         "Shows header, segments, checksum, hash and descriptor of an application or bootloader\n"
         "image, of any chip of the ESP32 family or a board of this project, and checks them.\n\n"
         "  --offset N     the image starts N bytes into FILE, e.g. a flash dump (0x10000, 64K)\n"
         "  -c, --chip C   judge it as an image for that chip (default: what its header says)\n"
         "  --json         for programs\n"
         "  -h, --help\n\n"
         "Exit status: 0 valid, 1 invalid or unreadable, 2 the command line was not understood.");
}

int image_info_main(int argc, char **argv)
{
    enum { OFFSET = 256, JSON };
    static const struct option long_options[] = {
        {"offset", required_argument, NULL, OFFSET},
        {"chip", required_argument, NULL, 'c'},
        {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    const fmt_chip_t *chip = NULL;
    uint64_t offset = 0;
    bool json = false;
    uint8_t *data;
    size_t len;
    int option;
    int status = AIRLIFT_EXIT_FAILURE;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1) {
        switch (option) {
        case OFFSET:
            if (!ui_parse_number(optarg, true, FILE_MAX, &offset)) {
                return ui_usage_error(VERB, "--offset: %s: not a number in range", optarg);
            }
            break;
        case 'c':
            chip = fmt_chip_by_name(optarg);
            if (chip == NULL) {
                return ui_usage_error(VERB, "--chip: %s: no such chip", optarg);
            }
            break;
        case JSON:
            json = true;
            break;
        case 'h':
            print_help();
            return AIRLIFT_EXIT_OK;
        default:
            return ui_bad_option(VERB, argc, argv);
        }
    }
    if (argc - optind != 1) {
        return ui_usage_error(VERB, "exactly one image file is needed");
    }
    if (!file_read(argv[optind], FILE_MAX, &data, &len)) {
        return AIRLIFT_EXIT_FAILURE;
    }
    if (offset > len) {
        ui_error("%s: offset 0x%" PRIx64 ": the file has %zu bytes", argv[optind], offset, len);
        free(data);
        return AIRLIFT_EXIT_FAILURE;
    }
    info_t *info = calloc(1, sizeof(*info));

    if (info == NULL) {
        ui_error("out of memory");
    } else {
        info->path = argv[optind];
        info->data = data + offset;
        info->len = len - offset;
        info->offset = offset;
        if (examine(info, chip)) {
            (json ? print_json : print_text)(info);
            status = info->problems == 0 ? AIRLIFT_EXIT_OK : AIRLIFT_EXIT_FAILURE;
        }
        free(info);
    }
    free(data);
    return status;
}
