package dev.coppice.storage.wal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnwrittenWalTest {
    private static final int SEGMENT = 16 << 20;

    @TempDir
    private Path directory;

    private Path segment(String name, int written) throws IOException {
        byte[] bytes = new byte[SEGMENT];
        byte[] records = new byte[written];
        new Random(written).nextBytes(records);
        System.arraycopy(records, 0, bytes, 0, written);
        return Files.write(directory.resolve(name), bytes);
    }

    @Test
    void segments_keep_their_bytes_and_names_and_give_back_what_was_not_written() throws Exception {
        List<Path> segments = List.of(
                segment("000000010000000000000001", 100),
                segment("000000010000000000000002", SEGMENT),
                segment("000000010000000000000003", 0),
                segment("000000010000000000000004", 5_000_000));
        Files.setPosixFilePermissions(segments.getFirst(), PosixFilePermissions.fromString("rw-------"));
        Path other = segment("backup_label", 10);
        List<Integer> before = hashes();
        long full = diskBytes();
        UnwrittenWal.release(directory);
        assertThat(hashes()).isEqualTo(before);
        assertThat(Files.getPosixFilePermissions(segments.getFirst()))
                .isEqualTo(PosixFilePermissions.fromString("rw-------"));
        assertThat(segments).allMatch(Files::exists);
        assertThat(other).exists();
        // Two whole segments' worth and 5 MB of the three others stay, the file that is none too.
        assertThat(full - diskBytes()).isGreaterThan(2L * SEGMENT + SEGMENT / 2);
        UnwrittenWal.release(directory);
        assertThat(hashes()).isEqualTo(before);
    }

    @Test
    void what_a_link_points_to_is_left_alone() throws Exception {
        Path elsewhere = Files.createDirectory(directory.resolve("elsewhere"));
        Path target = Files.write(elsewhere.resolve("file"), new byte[SEGMENT]);
        Files.createSymbolicLink(directory.resolve("000000010000000000000001"), target);
        Object before = Files.getAttribute(target, "unix:ctime");
        UnwrittenWal.release(directory);
        assertThat(Files.getAttribute(target, "unix:ctime")).isEqualTo(before);
        assertThat(Files.isSymbolicLink(directory.resolve("000000010000000000000001")))
                .isTrue();
    }

    private List<Integer> hashes() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            List<Integer> hashes = new java.util.ArrayList<>();
            for (Path file : files.sorted().toList()) {
                hashes.add(java.util.Arrays.hashCode(Files.readAllBytes(file)));
            }
            return hashes;
        }
    }

    /** As du counts it: what the file system holds, holes excluded. */
    private long diskBytes() throws Exception {
        Process du = new ProcessBuilder("du", "-sk", directory.toString()).start();
        String text = new String(du.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.US_ASCII);
        assertThat(du.waitFor()).isZero();
        return Long.parseLong(text.split("\\s")[0]) * 1024;
    }
}
