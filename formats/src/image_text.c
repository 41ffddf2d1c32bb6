/* SPDX-License-Identifier: Apache-2.0
 *
 * Outcomes of image verification as error codes and console lines. */
#include <inttypes.h>
#include <stdio.h>

#include "formats/image.h"

esp_err_t fmt_image_status_err(fmt_image_status_t status)
{
    switch (status) {
    case FMT_IMAGE_OK:
        return ESP_OK;
    case FMT_IMAGE_BAD_ARGUMENT:
    case FMT_IMAGE_PARTITION_TOO_BIG:
        return ESP_ERR_INVALID_ARG;
    case FMT_IMAGE_WRONG_CHIP:
    case FMT_IMAGE_CHIP_TOO_OLD:
    case FMT_IMAGE_CHIP_TOO_NEW:
    case FMT_IMAGE_NO_DESC:
    case FMT_IMAGE_BLK_REV_TOO_OLD:
    case FMT_IMAGE_BLK_REV_TOO_NEW:
    case FMT_IMAGE_SECURE_VERSION:
    case FMT_IMAGE_HASH_ENGINE:
        return ESP_FAIL;
    case FMT_IMAGE_BAD_MAGIC:
    case FMT_IMAGE_SEGMENT_COUNT:
    case FMT_IMAGE_SEGMENT_LENGTH:
    case FMT_IMAGE_NO_ROOM_FOR_DESC:
    case FMT_IMAGE_BAD_MAPPING:
    case FMT_IMAGE_BAD_LOAD_ADDRESS:
    case FMT_IMAGE_WRAPPED:
    case FMT_IMAGE_BAD_CHECKSUM:
    case FMT_IMAGE_DOES_NOT_FIT:
    case FMT_IMAGE_BAD_HASH:
        break;
    }
    return ESP_ERR_IMAGE_INVALID;
}

/* "Required >= v0.3, found v0.1." and its kin, with revisions as major * 100 + minor. */
static void revision_text(const fmt_image_verifier_t *v, const char *format, const char *relation,
                          fmt_log_line_t *line)
{
    line->tag = "boot_comm";
    snprintf(line->text, sizeof(line->text), format, relation, (int)(v->expected / 100),
             (int)(v->expected % 100), (int)(v->value / 100), (int)(v->value % 100));
}

bool fmt_image_status_line(const fmt_image_verifier_t *v, fmt_log_line_t *line)
{
    static const char chip_rev[] = "chip revision check failed. Required %s v%d.%d, found v%d.%d.";
    static const char blk_rev[] = "Image requires efuse blk rev %s v%d.%d, but chip is v%d.%d";
    line->level = 'E';
    line->tag = "esp_image";
    line->not_silent = true;
    switch (v->status) {
    case FMT_IMAGE_OK:
    case FMT_IMAGE_BAD_ARGUMENT:
        line->text[0] = '\0';
        return false;
    case FMT_IMAGE_PARTITION_TOO_BIG:
        snprintf(line->text, sizeof(line->text),
                 "partition size 0x%" PRIx32 " invalid, larger than 16MB", v->value);
        break;
    case FMT_IMAGE_BAD_MAGIC:
        snprintf(line->text, sizeof(line->text),
                 "image at 0x%" PRIx32 " has invalid magic byte (nothing flashed here?)",
                 v->params.flash_address);
        break;
    case FMT_IMAGE_WRONG_CHIP:
        line->tag = "boot_comm";
        line->not_silent = false;
        snprintf(line->text, sizeof(line->text), "mismatch chip ID, expected %d, found %d",
                 (int)v->expected, (int)v->value);
        break;
    case FMT_IMAGE_CHIP_TOO_OLD:
        line->not_silent = false;
        revision_text(v, chip_rev, ">=", line);
        break;
    case FMT_IMAGE_CHIP_TOO_NEW:
        line->not_silent = false;
        revision_text(v, chip_rev, "<=", line);
        break;
    case FMT_IMAGE_SEGMENT_COUNT:
        snprintf(line->text, sizeof(line->text),
                 "image at 0x%" PRIx32 " segment count %d exceeds max %d", v->params.flash_address,
                 (int)v->value, (int)v->expected);
        break;
    case FMT_IMAGE_SEGMENT_LENGTH:
        snprintf(line->text, sizeof(line->text), "invalid segment length 0x%" PRIx32, v->value);
        break;
    case FMT_IMAGE_NO_ROOM_FOR_DESC:
        line->not_silent = false;
        snprintf(line->text, sizeof(line->text),
                 "Segment %u: length 0x%" PRIx32 " is too short for app description",
                 v->bad_segment, v->value);
        break;
    case FMT_IMAGE_NO_DESC:
        line->not_silent = false;
        snprintf(line->text, sizeof(line->text), "Failed to fetch app description header!");
        break;
    case FMT_IMAGE_BAD_MAPPING:
        snprintf(line->text, sizeof(line->text),
                 "Segment %u load address 0x%08" PRIx32 ", doesn't match data 0x%08" PRIx32,
                 v->bad_segment, v->value, v->expected);
        break;
    case FMT_IMAGE_BAD_LOAD_ADDRESS:
        line->not_silent = false;
        snprintf(line->text, sizeof(line->text),
                 "Segment %u 0x%08" PRIx32 "-0x%08" PRIx32 " invalid: %s", v->bad_segment, v->value,
                 v->expected, v->why);
        break;
    case FMT_IMAGE_BLK_REV_TOO_OLD:
        line->not_silent = false;
        revision_text(v, blk_rev, ">=", line);
        break;
    case FMT_IMAGE_BLK_REV_TOO_NEW:
        line->not_silent = false;
        revision_text(v, blk_rev, "<=", line);
        break;
    case FMT_IMAGE_WRAPPED:
        snprintf(line->text, sizeof(line->text), "image offset has wrapped");
        break;
    case FMT_IMAGE_BAD_CHECKSUM:
        snprintf(line->text, sizeof(line->text),
                 "Checksum failed. Calculated 0x%" PRIx32 " read 0x%" PRIx32, v->value,
                 v->expected);
        break;
    case FMT_IMAGE_DOES_NOT_FIT:
        snprintf(line->text, sizeof(line->text),
                 "Image length %" PRIu32 " doesn't fit in partition length %" PRIu32, v->value,
                 v->expected);
        break;
    case FMT_IMAGE_BAD_HASH:
        line->not_silent = false;
        snprintf(line->text, sizeof(line->text), "Image hash failed - image is corrupt");
        break;
    case FMT_IMAGE_SECURE_VERSION:
        line->not_silent = false;
        snprintf(line->text, sizeof(line->text),
                 "image has secure version %" PRIu32 ", the chip requires %" PRIu32 " or higher",
                 v->value, v->expected);
        break;
    case FMT_IMAGE_HASH_ENGINE:
        line->not_silent = false;
        snprintf(line->text, sizeof(line->text), "SHA-256 engine failed");
        break;
    }
    return true;
}

void fmt_image_segment_line(const fmt_image_verifier_t *v, const fmt_image_need_t *need,
                            bool loading, fmt_log_line_t *line)
{
    const char *use = need->use == FMT_SEGMENT_MAP               ? "map"
                      : need->use == FMT_SEGMENT_LOAD && loading ? "load"
                                                                 : "";
    line->level = 'I';
    line->tag = "esp_image";
    line->not_silent = true;
    snprintf(line->text, sizeof(line->text),
             "segment %u: paddr=%08" PRIx32 " vaddr=%08" PRIx32 " size=%05" PRIx32 "h (%6" PRIu32
             ") %s",
             need->segment, v->params.flash_address + need->offset, need->load_address,
             need->length, need->length, use);
}
