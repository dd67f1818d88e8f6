/* Scan each file on the command line in damaged variants: truncated at every byte, and with every field of
 * 1, 2, 4 and 8 bytes overwritten. Each variant has an allocation of exactly its size, so that the
 * sanitizers detect any access outside it. */
#include "scan_checker.h"

static void scan_copy(const uint8_t *data, size_t size)
{
    scan_checker checker;
    uint8_t *copy = malloc(size > 0 ? size : 1);
    REQUIRE(copy != NULL);
    memcpy(copy, data, size);
    (void)checked_scan(&checker, copy, size, 0);
    free(copy);
}

static void overwrite(uint8_t *data, size_t size)
{
    static const int VALUES[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    for (size_t width = 1; width <= 8; width *= 2) {
        for (size_t at = 0; at + width <= size; at++) {
            uint8_t saved[8];
            memcpy(saved, data + at, width);
            for (size_t v = 0; v < sizeof VALUES / sizeof VALUES[0]; v++) {
                memset(data + at, VALUES[v], width);
                scan_copy(data, size);
            }
            memcpy(data + at, saved, width);
        }
    }
}

static size_t read_file(const char *path, uint8_t *data, size_t capacity)
{
    FILE *file = fopen(path, "rb");
    REQUIRE(file != NULL);
    const size_t size = fread(data, 1, capacity, file);
    (void)fclose(file);
    return size;
}

int main(int count, char **paths)
{
    static uint8_t data[1 << 20];
    static const wk_visitor no_callbacks;
    for (int i = 1; i < count; i++) {
        scan_checker checker;
        const size_t size = read_file(paths[i], data, sizeof data);
        REQUIRE(checked_scan(&checker, data, size, 0) == WK_RESULT_OK);
        REQUIRE(wk_scan(data, size, &no_callbacks, NULL, NULL) == WK_RESULT_OK);
        for (size_t cut = 0; cut < size; cut++) {
            scan_copy(data, cut);
        }
        if (size <= 4096) { /* larger files come from a compiler and are only truncated */
            overwrite(data, size);
        }
    }
    printf("%d files\n", count - 1);
    return count > 1 ? 0 : 1;
}
