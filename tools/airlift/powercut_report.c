/* SPDX-License-Identifier: Apache-2.0 */
#include "powercut_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "file.h"
#include "ui.h"

/* Failures of one scenario that are listed as text; JSON has all. */
#define SHOWN_FAILURES 5

#define FIELDS_MAX 9

static const char *const outcome_names[POWERCUT_OUTCOMES] = {"held", "lost", "brick", "nature"};
static const char *const status_names[] = {"interrupted", "swept", "skipped", "broken"};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* --- taking lines --- */

/* Room for one more element; false: no memory. */
static bool grow(void **array, size_t count, size_t *room, size_t size)
{
    if (count < *room) {
        return true;
    }
    size_t wanted = *room == 0 ? 64 : *room * 2;
    void *larger = realloc(*array, wanted * size);
    if (larger == NULL) {
        return false;
    }
    *array = larger;
    *room = wanted;
    return true;
}

static uint32_t number(const char *text)
{
    return (uint32_t)strtoul(text, NULL, 10);
}

powercut_scenario_report_t *powercut_report_current(powercut_report_t *report)
{
    powercut_scenario_report_t *last =
        report->count > 0 ? &report->scenarios[report->count - 1] : NULL;
    return last != NULL && last->status == POWERCUT_RUNNING ? last : NULL;
}

static bool begin(powercut_report_t *report, const char *name, const char *summary)
{
    void *larger =
        realloc(report->scenarios, (report->count + 1) * sizeof(powercut_scenario_report_t));
    if (larger == NULL) {
        return false;
    }
    report->scenarios = larger;
    powercut_scenario_report_t *scenario = &report->scenarios[report->count];
    *scenario = (powercut_scenario_report_t){
        .name = strdup(name), .summary = strdup(summary), .started = now()};
    if (scenario->name == NULL || scenario->summary == NULL) {
        free(scenario->name);
        free(scenario->summary);
        return false;
    }
    report->count++;
    return true;
}

static bool take_operation(powercut_scenario_report_t *scenario, char **fields)
{
    if (!grow((void **)&scenario->operations, scenario->operation_count, &scenario->operation_room,
              sizeof(*scenario->operations))) {
        return false;
    }
    scenario->operations[scenario->operation_count++] = (powercut_report_operation_t){
        .program = strcmp(fields[2], "program") == 0,
        .address = number(fields[3]),
        .len = number(fields[4]),
        .bootloader = strcmp(fields[5], "bootloader") == 0,
    };
    return true;
}

static bool take_point(powercut_scenario_report_t *scenario, char **fields)
{
    unsigned outcome = 0;
    while (outcome < POWERCUT_OUTCOMES && strcmp(fields[3], outcome_names[outcome]) != 0) {
        outcome++;
    }
    if (outcome == POWERCUT_OUTCOMES || !grow((void **)&scenario->points, scenario->point_count,
                                              &scenario->point_room, sizeof(*scenario->points))) {
        return false;
    }
    powercut_point_t point = {
        .operation = number(fields[1]),
        .second = number(fields[4]),
        .boots = number(fields[5]),
        .version = number(fields[6]),
        .outcome = (powercut_outcome_t)outcome,
        .spec = strdup(fields[2]),
        .text = fields[7][0] != '\0' ? strdup(fields[7]) : NULL,
    };
    if (point.spec == NULL || (point.text == NULL && fields[7][0] != '\0')) {
        free(point.spec);
        free(point.text);
        return false;
    }
    scenario->points[scenario->point_count++] = point;
    scenario->outcomes[outcome]++;
    scenario->boots += point.boots;
    return true;
}

static bool end(powercut_scenario_report_t *scenario, powercut_status_t status, const char *why)
{
    scenario->status = status;
    scenario->seconds = now() - scenario->started;
    scenario->why = why != NULL ? strdup(why) : NULL;
    return why == NULL || scenario->why != NULL;
}

bool powercut_report_take(powercut_report_t *report, char *line)
{
    char *fields[FIELDS_MAX] = {line};
    size_t count = 0;
    for (char *rest = line; rest != NULL && count < FIELDS_MAX;) {
        fields[count++] = strsep(&rest, "\t");
    }
    powercut_scenario_report_t *scenario = powercut_report_current(report);
    if (strlen(fields[0]) != 1) {
        return false;
    }
    switch (fields[0][0]) {
    case 'S':
        return count == 3 && begin(report, fields[1], fields[2]);
    case 'F':
        free(report->failure);
        report->failure = strdup(count > 1 ? fields[1] : "");
        return report->failure != NULL;
    default:
        break;
    }
    if (scenario == NULL) {
        return false;
    }
    switch (fields[0][0]) {
    case 'K':
        return count == 3 && end(scenario, POWERCUT_SKIPPED, fields[2]);
    case 'X':
        return count == 3 && end(scenario, POWERCUT_BROKEN, fields[2]);
    case 'N':
        if (count == 4) {
            scenario->operation_total = number(fields[1]);
            scenario->planned = number(fields[2]);
            scenario->real = strcmp(fields[3], "real") == 0;
            scenario->started = now();
        }
        return count == 4;
    case 'O':
        return count == 6 && take_operation(scenario, fields);
    case 'T':
        return count == 8 && take_point(scenario, fields);
    case 'A':
        if (count == 3) {
            scenario->agreed = number(fields[1]);
            scenario->compared = number(fields[2]);
        }
        return count == 3;
    case 'E':
        return end(scenario, POWERCUT_SWEPT, NULL);
    default:
        return false;
    }
}

void powercut_report_free(powercut_report_t *report)
{
    for (size_t i = 0; i < report->count; i++) {
        powercut_scenario_report_t *scenario = &report->scenarios[i];
        for (size_t p = 0; p < scenario->point_count; p++) {
            free(scenario->points[p].spec);
            free(scenario->points[p].text);
        }
        free(scenario->points);
        free(scenario->operations);
        free(scenario->name);
        free(scenario->summary);
        free(scenario->why);
    }
    free(report->scenarios);
    free(report->failure);
}

/* --- text --- */

static bool is_failure(powercut_outcome_t outcome)
{
    return outcome == POWERCUT_LOST || outcome == POWERCUT_BRICK;
}

size_t powercut_report_failures(const powercut_report_t *report)
{
    size_t failures = 0;
    for (size_t i = 0; i < report->count; i++) {
        const powercut_scenario_report_t *scenario = &report->scenarios[i];
        failures += scenario->outcomes[POWERCUT_LOST] + scenario->outcomes[POWERCUT_BRICK] +
                    (scenario->status == POWERCUT_BROKEN);
    }
    return failures;
}

/* So far, if it was interrupted. */
static double elapsed(const powercut_scenario_report_t *scenario)
{
    return scenario->status == POWERCUT_RUNNING ? now() - scenario->started : scenario->seconds;
}

static double rate(size_t points, double seconds)
{
    return seconds > 0 ? (double)points / seconds : 0;
}

void powercut_print_head(FILE *stream)
{
    fprintf(stream, "%s%-18s %10s %10s %9s %6s %7s %9s %9s%s\n", ui_style(stream, UI_BOLD),
            "scenario", "operations", "cut points", "boots", "lost", "bricked", "by nature",
            "points/s", ui_style(stream, UI_PLAIN));
}

void powercut_print_scenario(FILE *stream, const powercut_scenario_report_t *scenario)
{
    if (scenario->status == POWERCUT_SKIPPED || scenario->status == POWERCUT_BROKEN) {
        bool broken = scenario->status == POWERCUT_BROKEN;
        fprintf(stream, "%-18s %s%s: %s%s\n", scenario->name,
                ui_style(stream, broken ? UI_RED : UI_DIM), broken ? "does not work" : "skipped",
                scenario->why, ui_style(stream, UI_PLAIN));
        return;
    }
    size_t lost = scenario->outcomes[POWERCUT_LOST];
    size_t bricked = scenario->outcomes[POWERCUT_BRICK];
    fprintf(stream, "%-18s %10zu %10zu %9" PRIu64 " %s%6zu %7zu%s %9zu %9.0f%s\n", scenario->name,
            scenario->operation_total, scenario->point_count, scenario->boots,
            ui_style(stream, lost + bricked > 0 ? UI_RED : UI_GREEN), lost, bricked,
            ui_style(stream, UI_PLAIN), scenario->outcomes[POWERCUT_BY_NATURE],
            rate(scenario->point_count, elapsed(scenario)),
            scenario->status == POWERCUT_RUNNING ? "  (interrupted)" : "");
}

static void print_failures(FILE *stream, const powercut_report_t *report,
                           const powercut_scenario_report_t *scenario)
{
    size_t shown = 0;
    size_t all = scenario->outcomes[POWERCUT_LOST] + scenario->outcomes[POWERCUT_BRICK];
    for (size_t i = 0; i < scenario->point_count && shown < SHOWN_FAILURES; i++) {
        const powercut_point_t *point = &scenario->points[i];
        if (is_failure(point->outcome)) {
            shown++;
            fprintf(stream, "\n%s%s:%s%s %s: %s\n  replay: %s --replay %s:%s\n",
                    ui_style(stream, UI_RED), scenario->name, point->spec,
                    ui_style(stream, UI_PLAIN), outcome_names[point->outcome],
                    point->text != NULL ? point->text : "", report->replay, scenario->name,
                    point->spec);
        }
    }
    if (all > shown) {
        fprintf(stream, "\n... and %zu more of %s\n", all - shown, scenario->name);
    }
}

void powercut_print_end(FILE *stream, const powercut_report_t *report)
{
    size_t points = 0;
    size_t natural = 0;
    size_t agreed = 0;
    size_t compared = 0;
    uint64_t boots = 0;
    double seconds = 0;
    for (size_t i = 0; i < report->count; i++) {
        const powercut_scenario_report_t *scenario = &report->scenarios[i];
        points += scenario->point_count;
        boots += scenario->boots;
        seconds += elapsed(scenario);
        natural += scenario->outcomes[POWERCUT_BY_NATURE];
        agreed += scenario->agreed;
        compared += scenario->compared;
        print_failures(stream, report, scenario);
    }
    fprintf(stream, "\ncut points tried: %zu in %.1f s\nboots: %" PRIu64 "\nfailures: %zu\n",
            points, seconds, boots, powercut_report_failures(report));
    if (compared > 0) {
        fprintf(stream, "boots that the engine foretold: %zu of %zu\n", agreed, compared);
    }
    if (natural > 0) {
        fprintf(stream,
                "not survivable by nature: %zu (the only copy of bootloader or partition table "
                "was being replaced; no chip survives that)\n",
                natural);
    }
    if (report->interrupted) {
        fprintf(stream, "interrupted: this is what was found so far\n");
    }
}

/* --- JSON --- */

static void json_scenario(FILE *stream, const powercut_report_t *report,
                          const powercut_scenario_report_t *scenario)
{
    fputs("\n    {\"name\": ", stream);
    ui_json_string(stream, scenario->name);
    fputs(", \"summary\": ", stream);
    ui_json_string(stream, scenario->summary);
    fprintf(stream, ",\n     \"status\": \"%s\"", status_names[scenario->status]);
    if (scenario->why != NULL) {
        fputs(", \"reason\": ", stream);
        ui_json_string(stream, scenario->why);
    }
    fprintf(stream, ", \"operation_count\": %zu", scenario->operation_total);
    fprintf(stream, ", \"cut_points\": %zu, \"boots\": %" PRIu64 ", \"seconds\": %.3f",
            scenario->point_count, scenario->boots, elapsed(scenario));
    fputs(",\n     \"outcomes\": {", stream);
    for (unsigned i = 0; i < POWERCUT_OUTCOMES; i++) {
        fprintf(stream, "%s\"%s\": %zu", i > 0 ? ", " : "", outcome_names[i],
                scenario->outcomes[i]);
    }
    if (scenario->compared > 0) {
        fprintf(stream, "},\n     \"foretold\": {\"agreed\": %u, \"compared\": %u",
                scenario->agreed, scenario->compared);
    }
    fputs("},\n     \"operations\": [", stream);
    for (size_t i = 0; i < scenario->operation_count; i++) {
        const powercut_report_operation_t *operation = &scenario->operations[i];
        fprintf(stream,
                "%s\n      {\"number\": %zu, \"kind\": \"%s\", \"address\": %" PRIu32
                ", \"length\": %" PRIu32 ", \"by\": \"%s\"}",
                i > 0 ? "," : "", i + 1, operation->program ? "program" : "erase",
                operation->address, operation->len, operation->bootloader ? "bootloader" : "app");
    }
    fputs("],\n     \"points\": [", stream);
    for (size_t i = 0; i < scenario->point_count; i++) {
        const powercut_point_t *point = &scenario->points[i];
        fprintf(stream,
                "%s\n      {\"operation\": %" PRIu32 ", \"point\": \"%s\", \"outcome\": \"%s\", "
                "\"boots\": %" PRIu32 ", \"version\": %" PRIu32,
                i > 0 ? "," : "", point->operation, point->spec, outcome_names[point->outcome],
                point->boots, point->version);
        if (point->text != NULL) {
            fputs(", \"text\": ", stream);
            ui_json_string(stream, point->text);
        }
        if (is_failure(point->outcome)) {
            fputs(", \"replay\": ", stream);
            char *command;
            if (asprintf(&command, "%s --replay %s:%s", report->replay, scenario->name,
                         point->spec) >= 0) {
                ui_json_string(stream, command);
                free(command);
            } else {
                fputs("null", stream);
            }
        }
        fputc('}', stream);
    }
    fputs("]}", stream);
}

static void write_json(FILE *stream, const powercut_report_t *report)
{
    fputs("{\"project\": ", stream);
    ui_json_string(stream, report->project);
    fprintf(stream, ",\n \"seed\": %" PRIu64 ", \"interrupted\": %s, \"failures\": %zu",
            report->seed, report->interrupted ? "true" : "false", powercut_report_failures(report));
    fputs(",\n \"scenarios\": [", stream);
    for (size_t i = 0; i < report->count; i++) {
        fputs(i > 0 ? "," : "", stream);
        json_scenario(stream, report, &report->scenarios[i]);
    }
    fputs("]}\n", stream);
}

static bool write_report(const powercut_report_t *report, const char *path,
                         void (*writer)(FILE *stream, const powercut_report_t *report))
{
    char *text = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&text, &len);
    if (stream == NULL) {
        ui_error("%s: no memory for the report", path);
        return false;
    }
    writer(stream, report);
    bool good = fclose(stream) == 0;
    if (!good) {
        ui_error("%s: no memory for the report", path);
    } else {
        good = file_write(path, text, len);
    }
    free(text);
    return good;
}

bool powercut_write_json(const powercut_report_t *report, const char *path)
{
    return write_report(report, path, write_json);
}

/* --- picture --- */

#define PICTURE_WIDTH 1000
#define MARGIN        20
#define CELL_HEIGHT   5
#define STRIP_HEIGHT  8

static const char *const colours[POWERCUT_OUTCOMES] = {"#8fc79a", "#d6402b", "#1f1f1f", "#e8b64c"};
static const char *const legends[POWERCUT_OUTCOMES] = {"held", "lost", "bricked",
                                                       "not survivable by nature"};

static void xml_text(FILE *stream, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", stream);
            break;
        case '&':
            fputs("&amp;", stream);
            break;
        case '"':
            fputs("&quot;", stream);
            break;
        default:
            if ((unsigned char)*text >= 0x20) {
                fputc(*text, stream);
            }
        }
    }
}

/* Points of one operation, in the order they are drawn: the trials' own, single cuts first. */
static int compare_points(const void *a, const void *b)
{
    const powercut_point_t *first = *(const powercut_point_t *const *)a;
    const powercut_point_t *second = *(const powercut_point_t *const *)b;
    if (first->operation != second->operation) {
        return first->operation < second->operation ? -1 : 1;
    }
    if ((first->second != 0) != (second->second != 0)) {
        return first->second != 0 ? 1 : -1;
    }
    /* Found by several workers in any order; failures to the top, where they are seen. */
    static const int ranks[POWERCUT_OUTCOMES] = {
        [POWERCUT_BRICK] = 0, [POWERCUT_LOST] = 1, [POWERCUT_BY_NATURE] = 2, [POWERCUT_HELD] = 3};
    if (first->outcome != second->outcome) {
        return ranks[first->outcome] - ranks[second->outcome];
    }
    return strcmp(first->spec, second->spec);
}

typedef struct {
    const powercut_point_t **points;
    size_t count;
    size_t columns; /* operations, and one for a cut when all is done */
    size_t rows;    /* most points of one operation */
} grid_t;

static bool make_grid(const powercut_scenario_report_t *scenario, grid_t *grid)
{
    *grid = (grid_t){.count = scenario->point_count, .columns = scenario->operation_total + 1};
    grid->points = calloc(grid->count + 1, sizeof(*grid->points));
    if (grid->points == NULL) {
        return false;
    }
    for (size_t i = 0; i < grid->count; i++) {
        grid->points[i] = &scenario->points[i];
    }
    qsort(grid->points, grid->count, sizeof(*grid->points), compare_points);
    size_t rows = 0;
    for (size_t i = 0; i < grid->count; i++) {
        rows = i > 0 && grid->points[i]->operation == grid->points[i - 1]->operation ? rows + 1 : 1;
        if (rows > grid->rows) {
            grid->rows = rows;
        }
        if (grid->points[i]->operation > grid->columns) {
            grid->columns = grid->points[i]->operation;
        }
    }
    return true;
}

static void draw_cells(FILE *stream, const grid_t *grid, double top, double width)
{
    for (size_t i = 0; i < grid->count;) {
        size_t row = 0;
        uint32_t operation = grid->points[i]->operation;
        while (i < grid->count && grid->points[i]->operation == operation) {
            /* Neighbours of one outcome are one rectangle. */
            const powercut_point_t *first = grid->points[i];
            size_t run = 0;
            while (i < grid->count && grid->points[i]->operation == operation &&
                   grid->points[i]->outcome == first->outcome) {
                run++;
                i++;
            }
            fprintf(stream,
                    "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" fill=\"%s\">"
                    "<title>operation %" PRIu32 ": %zu %s, first ",
                    MARGIN + (operation - 1) * width, top + (double)row * CELL_HEIGHT,
                    width > 3 ? width - 0.5 : width, (double)run * CELL_HEIGHT - 0.5,
                    colours[first->outcome], operation, run, legends[first->outcome]);
            xml_text(stream, first->spec);
            if (first->text != NULL) {
                fputs(": ", stream);
                xml_text(stream, first->text);
            }
            fputs("</title></rect>\n", stream);
            row += run;
        }
    }
}

/* What the operations are: erase dark, program light, the bootloader's blue. */
static void draw_strip(FILE *stream, const powercut_scenario_report_t *scenario, double top,
                       double width)
{
    for (size_t i = 0; i < scenario->operation_count; i++) {
        const powercut_report_operation_t *operation = &scenario->operations[i];
        const char *colour = operation->bootloader ? (operation->program ? "#9db8e8" : "#3f62b5")
                                                   : (operation->program ? "#cfcfcf" : "#7a7a7a");
        fprintf(stream,
                "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%d\" fill=\"%s\">"
                "<title>operation %zu: %s of %" PRIu32 " bytes at 0x%" PRIx32 " by the %s</title>"
                "</rect>\n",
                MARGIN + (double)i * width, top, width > 3 ? width - 0.5 : width, STRIP_HEIGHT,
                colour, i + 1, operation->program ? "program" : "erase", operation->len,
                operation->address, operation->bootloader ? "bootloader" : "application");
    }
}

static void draw_axis(FILE *stream, size_t columns, double top, double width)
{
    static const size_t steps[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000};
    size_t step = 0;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        step = steps[i];
        if ((double)step * width >= 30) {
            break;
        }
    }
    for (size_t i = 1; i <= columns; i = i == 1 && step > 1 ? step : i + step) {
        fprintf(stream, "<text x=\"%.1f\" y=\"%.1f\" class=\"axis\">%zu</text>\n",
                MARGIN + ((double)i - 0.5) * width, top, i);
    }
}

static double draw_scenario(FILE *stream, const powercut_scenario_report_t *scenario, double top)
{
    grid_t grid;
    fprintf(stream, "<text x=\"%d\" y=\"%.1f\" class=\"name\">", MARGIN, top + 14);
    xml_text(stream, scenario->name);
    fputs("</text>\n", stream);
    fprintf(stream, "<text x=\"%d\" y=\"%.1f\" class=\"note\">", MARGIN + 150, top + 14);
    if (scenario->why != NULL) {
        fputs(scenario->status == POWERCUT_SKIPPED ? "skipped: " : "does not work: ", stream);
        xml_text(stream, scenario->why);
        fputs("</text>\n", stream);
        return top + 26;
    }
    xml_text(stream, scenario->summary);
    fprintf(stream, " - %zu cut points", scenario->point_count);
    fputs("</text>\n", stream);
    if (!make_grid(scenario, &grid)) {
        return top + 26;
    }
    double width = (double)(PICTURE_WIDTH - 2 * MARGIN) / (double)grid.columns;
    if (width > 24) {
        width = 24;
    }
    top += 20;
    draw_cells(stream, &grid, top, width);
    top += (double)grid.rows * CELL_HEIGHT + 2;
    draw_strip(stream, scenario, top, width);
    top += STRIP_HEIGHT + 11;
    draw_axis(stream, grid.columns, top, width);
    free(grid.points);
    return top + 16;
}

static void draw_legend(FILE *stream, double top)
{
    static const struct {
        const char *colour;
        const char *text;
    } strips[] = {
        {"#7a7a7a", "erase"},
        {"#cfcfcf", "program"},
        {"#3f62b5", "erase by the bootloader"},
        {"#9db8e8", "program by the bootloader"},
    };
    double x = MARGIN;
    for (unsigned i = 0; i < POWERCUT_OUTCOMES; i++) {
        fprintf(stream,
                "<rect x=\"%.0f\" y=\"%.1f\" width=\"12\" height=\"12\" fill=\"%s\"/>"
                "<text x=\"%.0f\" y=\"%.1f\" class=\"note\">%s</text>\n",
                x, top, colours[i], x + 17, top + 10, legends[i]);
        x += 34 + 7 * (double)strlen(legends[i]);
    }
    x = MARGIN;
    for (size_t i = 0; i < sizeof(strips) / sizeof(strips[0]); i++) {
        fprintf(stream,
                "<rect x=\"%.0f\" y=\"%.1f\" width=\"12\" height=\"8\" fill=\"%s\"/>"
                "<text x=\"%.0f\" y=\"%.1f\" class=\"note\">%s</text>\n",
                x, top + 20, strips[i].colour, x + 17, top + 28, strips[i].text);
        x += 34 + 7 * (double)strlen(strips[i].text);
    }
    fprintf(stream,
            "<text x=\"%d\" y=\"%.1f\" class=\"note\">across: number of the flash operation that "
            "is cut; one cell for each cut point</text>\n",
            MARGIN, top + 46);
}

static void write_svg(FILE *stream, const powercut_report_t *report)
{
    /* The height is known when everything is drawn. */
    char *body = NULL;
    size_t len = 0;
    FILE *drawing = open_memstream(&body, &len);
    if (drawing == NULL) {
        return;
    }
    double top = 44;
    draw_legend(drawing, top);
    top += 66;
    for (size_t i = 0; i < report->count; i++) {
        top = draw_scenario(drawing, &report->scenarios[i], top);
    }
    fclose(drawing);
    fprintf(stream,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" "
            "viewBox=\"0 0 %d %.0f\" font-family=\"sans-serif\">\n"
            "<style>.title{font-size:18px;font-weight:bold}.name{font-size:13px;font-weight:bold}"
            ".note{font-size:12px;fill:#444}.axis{font-size:9px;fill:#666;text-anchor:middle}"
            "</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n"
            "<text x=\"%d\" y=\"28\" class=\"title\">Power cuts: ",
            PICTURE_WIDTH, top + 10, PICTURE_WIDTH, top + 10, MARGIN);
    xml_text(stream, report->project);
    fputs("</text>\n", stream);
    if (body != NULL) {
        fputs(body, stream);
    }
    fputs("</svg>\n", stream);
    free(body);
}

bool powercut_write_svg(const powercut_report_t *report, const char *path)
{
    return write_report(report, path, write_svg);
}
