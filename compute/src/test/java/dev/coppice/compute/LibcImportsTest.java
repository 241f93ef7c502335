package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tukaani.xz.XZInputStream;

/**
 * What Postgres calls of libc is hooked, or was looked at and may go past the interposer. A new call would read or write a
 * timeline's files behind its back.
 */
class LibcImportsTest {
    private static final String ARCHIVE = "postgres-linux-x86_64.txz";
    private static final Path OLDEST = Path.of("target", "postgres-oldest.jar");

    @BeforeAll
    static void only_the_reviewed_machine() {
        assumeTrue(System.getProperty("os.arch").equals("amd64"), "the list is of this machine's binaries");
    }

    @Test
    void every_function_that_the_newest_postgres_imports_is_hooked_or_reviewed() throws IOException {
        try (InputStream archive = resource("/" + ARCHIVE)) {
            assertReviewed(postgres(archive));
        }
    }

    @Test
    void every_function_that_the_oldest_postgres_imports_is_hooked_or_reviewed() throws IOException {
        try (ZipInputStream jar = new ZipInputStream(Files.newInputStream(OLDEST))) {
            for (ZipEntry entry = jar.getNextEntry(); entry != null; entry = jar.getNextEntry()) {
                if (entry.getName().equals(ARCHIVE)) {
                    assertReviewed(postgres(jar));
                    return;
                }
            }
        }
        throw new AssertionError(OLDEST + " has no " + ARCHIVE);
    }

    @Test
    void nothing_is_reviewed_that_is_hooked() throws IOException {
        assertThat(reviewed()).doesNotContainAnyElementsOf(hooks()).hasSizeGreaterThan(200);
        assertThat(hooks()).contains("open", "open64", "pread", "pwritev", "fdatasync", "rename", "__xstat");
    }

    private static void assertReviewed(byte[] postgres) throws IOException {
        Set<String> unknown = new TreeSet<>(new ElfSymbols(postgres).imports("GLIBC_"));
        assertThat(unknown).contains("pread", "malloc");
        unknown.removeAll(hooks());
        unknown.removeAll(reviewed());
        assertThat(unknown)
                .as("functions to be hooked in hooks.c, or named in reviewed-libc-imports.txt")
                .isEmpty();
    }

    private static Set<String> hooks() throws IOException {
        try (InputStream library = resource("/META-INF/native/linux-amd64/libcoppice_interposer.so")) {
            return new ElfSymbols(library.readAllBytes()).exports();
        }
    }

    private static Set<String> reviewed() throws IOException {
        try (InputStream list = resource("reviewed-libc-imports.txt")) {
            return new String(list.readAllBytes(), StandardCharsets.US_ASCII)
                    .lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .collect(Collectors.toSet());
        }
    }

    private static InputStream resource(String name) {
        return Objects.requireNonNull(LibcImportsTest.class.getResourceAsStream(name), name);
    }

    private static byte[] postgres(InputStream archive) throws IOException {
        TarArchiveInputStream tar =
                new TarArchiveInputStream(new XZInputStream(new BufferedInputStream(archive, 1 << 16)));
        for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
            if (entry.getName().endsWith("bin/postgres")) {
                return tar.readAllBytes();
            }
        }
        throw new AssertionError("the archive has no bin/postgres");
    }
}
