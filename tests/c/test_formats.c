/* Test each parser with the smallest valid input and with damaged variants of it. Test visitors that stop.
 * The damage test uses complete binaries. */
#include "check.h"
#include "scan_checker.h"

typedef struct builder {
    uint8_t data[512];
    size_t size;
    bool big;
} builder;

static void put(builder *b, unsigned width, uint64_t value)
{
    for (unsigned i = 0; i < width; i++) {
        const unsigned byte = b->big ? width - 1 - i : i;
        b->data[b->size++] = (uint8_t)(value >> 8 * byte);
    }
}

static void put_text(builder *b, const char *text, size_t size)
{
    memset(b->data + b->size, 0, size);
    memcpy(b->data + b->size, text, strlen(text));
    b->size += size;
}

/* Return a library without segments and sections. */
static builder elf(bool wide, bool big, uint16_t machine)
{
    builder b = {{0}, 0, big};
    put_text(&b, "\177ELF", 4);
    put(&b, 1, wide ? 2 : 1);
    put(&b, 1, big ? 2 : 1);
    put(&b, 1, 1);
    put(&b, 8, 0);
    put(&b, 1, 0);
    put(&b, 2, 3);
    put(&b, 2, machine);
    put(&b, 4, 1);
    for (int i = 0; i < 3; i++) {
        put(&b, wide ? 8 : 4, 0);
    }
    put(&b, 4, 0);
    for (int i = 0; i < 6; i++) {
        put(&b, 2, 0);
    }
    return b;
}

/* Return a bundle with one load command. */
static builder macho(bool wide, bool big, uint32_t cpu)
{
    builder b = {{0}, 0, big};
    put(&b, 4, wide ? 0xfeedfacf : 0xfeedface);
    put(&b, 4, cpu);
    put(&b, 4, 0);
    put(&b, 4, 8);
    put(&b, 4, 1);
    put(&b, 4, 24);
    put(&b, 4, 0x80);
    put(&b, wide ? 4 : 0, 0);
    put(&b, 4, 0x8000001c);
    put(&b, 4, 24);
    put(&b, 4, 12);
    put_text(&b, "@rpath/x", 12);
    return b;
}

/* Return a program without sections. */
static builder pe(bool wide, uint16_t machine)
{
    builder b = {{0}, 0, false};
    const unsigned optional = wide ? 112 : 96;
    put_text(&b, "MZ", 0x3c);
    put(&b, 4, 0x40);
    put_text(&b, "PE", 4);
    put(&b, 2, machine);
    b.size += 14;
    put(&b, 2, optional);
    put(&b, 2, 2);
    put(&b, 2, wide ? 0x20b : 0x10b);
    b.size += optional - 2;
    return b;
}

static wk_result scan(scan_checker *c, const builder *b)
{
    return checked_scan(c, b->data, b->size, 0);
}

static void test_elf(void)
{
    static const struct {
        bool wide, big;
        uint16_t machine;
        const char *arch;
    } CASES[] = {
        {true, false, 62, "x86_64"},       {false, false, 62, "x32"},    {false, false, 3, "i686"},
        {true, false, 183, "aarch64"},     {false, false, 40, "armv7l"}, {true, false, 21, "ppc64le"},
        {true, true, 21, "ppc64"},         {true, true, 22, "s390x"},    {true, false, 243, "riscv64"},
        {true, false, 258, "loongarch64"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const builder b = elf(CASES[i].wide, CASES[i].big, CASES[i].machine);
        scan_checker checker;
        CHECK(scan(&checker, &b) == WK_RESULT_OK);
        CHECK(checker.last.format == WK_FORMAT_ELF && checker.last.kind == WK_KIND_SHARED &&
              strcmp(checker.last.arch, CASES[i].arch) == 0);
        CHECK(checker.last.wide == CASES[i].wide && checker.last.big == CASES[i].big);
    }
    const builder unknown = elf(true, false, 0x1234);
    scan_checker checker;
    CHECK(scan(&checker, &unknown) == WK_RESULT_OK && checker.last.arch == NULL &&
          checker.last.arch_number == 0x1234);
}

static void test_elf_damage(void)
{
    scan_checker checker;
    builder b = elf(true, false, 62);
    b.data[4] = 3;
    CHECK(scan(&checker, &b) == WK_RESULT_UNSUPPORTED);
    b = elf(true, false, 62);
    b.data[5] = 0;
    CHECK(scan(&checker, &b) == WK_RESULT_UNSUPPORTED);
    b = elf(true, false, 62);
    b.size--;
    CHECK(scan(&checker, &b) == WK_RESULT_TRUNCATED);
    b = elf(false, true, 22);
    b.size = 5;
    CHECK(scan(&checker, &b) == WK_RESULT_TRUNCATED);
}

static void test_macho(void)
{
    static const struct {
        bool wide, big;
        uint32_t cpu;
        const char *arch;
    } CASES[] = {
        {true, false, 0x01000007, "x86_64"}, {true, false, 0x0100000c, "arm64"},
        {false, false, 7, "i686"},           {false, true, 18, "ppc"},
        {true, true, 0x01000012, "ppc64"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const builder b = macho(CASES[i].wide, CASES[i].big, CASES[i].cpu);
        scan_checker checker;
        CHECK(scan(&checker, &b) == WK_RESULT_OK);
        CHECK(checker.last.format == WK_FORMAT_MACHO && checker.last.kind == WK_KIND_BUNDLE &&
              strcmp(checker.last.arch, CASES[i].arch) == 0);
        CHECK(checker.facts == 2); /* the rpath and the slice */
    }
}

static void test_macho_damage(void)
{
    scan_checker checker;
    builder b = macho(true, false, 0x0100000c);
    b.data[36] = 7; /* shorter than the fixed part of a command */
    CHECK(scan(&checker, &b) == WK_RESULT_BAD_VALUE);
    b = macho(true, false, 0x0100000c);
    b.data[36] = 28; /* longer than all commands together */
    CHECK(scan(&checker, &b) == WK_RESULT_TRUNCATED);
    b = macho(true, false, 0x0100000c);
    b.data[40] = 24; /* a string that starts outside its command */
    CHECK(scan(&checker, &b) == WK_RESULT_BAD_OFFSET);
    b = macho(true, false, 0x0100000c);
    memset(b.data + 44, 'x', 12);
    CHECK(scan(&checker, &b) == WK_RESULT_BAD_STRING);
}

/* Return a fat file whose slices are copies of a thin file. */
static builder fat(const builder *thin, uint32_t count, uint32_t distance)
{
    builder b = {{0}, 0, true};
    put(&b, 4, 0xcafebabe);
    put(&b, 4, count);
    for (uint32_t i = 0; i < count; i++) {
        put(&b, 4, 0x01000007 + i);
        put(&b, 4, 0);
        put(&b, 4, 64 + i * distance);
        put(&b, 4, thin->size);
        put(&b, 4, 0);
    }
    for (uint32_t i = 0; i < count; i++) {
        b.size = 64 + i * distance;
        memcpy(b.data + b.size, thin->data, thin->size);
        b.data[b.size + 4] = (uint8_t)(7 + i);
        b.size += thin->size;
    }
    return b;
}

static void test_fat_macho(void)
{
    scan_checker checker;
    const builder thin = macho(true, false, 0x01000007);
    builder b = fat(&thin, 2, 64);
    CHECK(scan(&checker, &b) == WK_RESULT_OK && checker.slices == 2 && checker.last.fat &&
          checker.last.offset == 128);
    b = fat(&thin, 2, 32);
    CHECK(scan(&checker, &b) == WK_RESULT_OVERLAP);
    b = fat(&thin, 1, 0);
    b.data[19] = 8; /* the slice overlaps the table that describes it */
    CHECK(scan(&checker, &b) == WK_RESULT_OVERLAP);
    b = fat(&thin, 1, 0);
    b.data[11] = 9; /* another processor than in the header of the slice */
    CHECK(scan(&checker, &b) == WK_RESULT_BAD_VALUE);
    b = fat(&thin, 1, 0);
    b.data[7] = 0;
    CHECK(scan(&checker, &b) == WK_RESULT_BAD_VALUE);
    b = fat(&thin, 1, 0);
    b.data[7] = 40;
    CHECK(scan(&checker, &b) == WK_RESULT_BAD_COUNT);
}

static void test_pe(void)
{
    scan_checker checker;
    builder b = pe(true, 0x8664);
    CHECK(scan(&checker, &b) == WK_RESULT_OK && strcmp(checker.last.arch, "x86_64") == 0 &&
          checker.last.wide);
    CHECK(checker.last.format == WK_FORMAT_PE && checker.last.kind == WK_KIND_EXECUTABLE);
    b = pe(false, 0x14c);
    CHECK(scan(&checker, &b) == WK_RESULT_OK && strcmp(checker.last.arch, "i686") == 0 && !checker.last.wide);
    b = pe(true, 0xaa64);
    CHECK(scan(&checker, &b) == WK_RESULT_OK && strcmp(checker.last.arch, "arm64") == 0);
    b.size--;
    CHECK(scan(&checker, &b) == WK_RESULT_TRUNCATED);
    b = pe(true, 0x8664);
    b.data[0x40 + 24] = 0x0c; /* not a known kind of optional header */
    CHECK(scan(&checker, &b) == WK_RESULT_UNSUPPORTED);
    b = pe(true, 0x8664);
    b.data[0x40 + 6] = 1; /* a section that is not in the file */
    CHECK(scan(&checker, &b) == WK_RESULT_BAD_COUNT);
}

static void test_other_files(void)
{
    static const struct {
        const char *text;
        size_t size;
    } CASES[] = {
        {"", 0},
        {"\x7f", 1},
        {"\177EL", 3},
        {"#!/bin/sh\n", 10},
        {"PK\x03\x04", 4},
        {"!<arch>\n", 8},
        {"\xca\xfe\xba\xbe\0\0\0\x34 a Java class", 21},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        scan_checker checker;
        CHECK(checked_scan(&checker, (const uint8_t *)CASES[i].text, CASES[i].size, 0) ==
              WK_RESULT_NOT_A_BINARY);
    }
    scan_checker checker;
    builder b = pe(true, 0x8664);
    b.data[0x40] = 'N'; /* a 16-bit Windows program */
    b.data[0x41] = 'E';
    CHECK(scan(&checker, &b) == WK_RESULT_NOT_A_BINARY);
    memset(b.data + 2, 'Z', 0x60); /* text that starts with MZ */
    CHECK(scan(&checker, &b) == WK_RESULT_NOT_A_BINARY);
}

static void test_a_visitor_stops_at_every_fact(void)
{
    const builder thin = macho(true, false, 0x01000007);
    const builder b = fat(&thin, 2, 64);
    scan_checker checker;
    for (size_t facts = 1; facts <= 4; facts++) {
        CHECK(checked_scan(&checker, b.data, b.size, facts) == WK_RESULT_STOPPED && checker.facts == facts);
    }
    CHECK(checked_scan(&checker, b.data, b.size, 5) == WK_RESULT_OK && checker.facts == 4);
}

int main(void)
{
    test_elf();
    test_elf_damage();
    test_macho();
    test_macho_damage();
    test_fat_macho();
    test_pe();
    test_other_files();
    test_a_visitor_stops_at_every_fact();
    return 0;
}
