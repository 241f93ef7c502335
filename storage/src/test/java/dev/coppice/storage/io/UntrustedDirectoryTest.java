package dev.coppice.storage.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a compute may put into its directory, whatever it is, must not lead out of it. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class UntrustedDirectoryTest {
    private static final int COMPUTE = 64_321;
    private static final boolean ROOT = DirectoryCalls.SELF == 0;

    @TempDir
    Path temporary;

    private Path theirs;
    private Path elsewhere;
    private Path secret;

    @BeforeEach
    void directories() throws IOException {
        theirs = Files.createDirectory(temporary.resolve("theirs"));
        elsewhere = Files.createDirectory(temporary.resolve("elsewhere"));
        secret = Files.writeString(elsewhere.resolve("secret"), "secret");
        give(theirs);
    }

    private static Path give(Path path) throws IOException {
        if (ROOT) {
            Files.setAttribute(path, "unix:uid", COMPUTE, LinkOption.NOFOLLOW_LINKS);
            Files.setAttribute(path, "unix:gid", COMPUTE, LinkOption.NOFOLLOW_LINKS);
        }
        return path;
    }

    private UntrustedDirectory open() throws IOException {
        return UntrustedDirectory.open(theirs);
    }

    private void assertRefused(String name) throws IOException {
        try (UntrustedDirectory directory = open()) {
            assertThatThrownBy(() -> directory.read(name).close()).isInstanceOf(UntrustedFileException.class);
            assertThatThrownBy(() -> directory.write(name).close()).isInstanceOf(UntrustedFileException.class);
            assertThatThrownBy(() -> directory.giveTo(name, COMPUTE, COMPUTE))
                    .isInstanceOf(UntrustedFileException.class);
            assertThatThrownBy(() -> directory.takeOut(name, 6, temporary.resolve("out")))
                    .isInstanceOf(UntrustedFileException.class);
        }
        assertThat(temporary.resolve("out")).doesNotExist();
        assertThat(secret).hasContent("secret");
    }

    @Test
    void a_file_is_read_written_replaced_and_taken_out() throws IOException {
        give(Files.writeString(theirs.resolve("file"), "content"));
        try (UntrustedDirectory directory = open()) {
            assertThat(directory.head("file", 4)).isEqualTo("cont".getBytes(StandardCharsets.UTF_8));
            try (FileChannel channel = directory.write("file")) {
                channel.write(ByteBuffer.wrap("C".getBytes(StandardCharsets.UTF_8)), 0);
            }
            directory.replace("small", "small".getBytes(StandardCharsets.UTF_8), COMPUTE, COMPUTE);
            assertThat(directory.list(name -> true)).containsExactly("file", "small");
            directory.takeOut("file", 7, temporary.resolve("out"));
        }
        assertThat(temporary.resolve("out")).hasContent("Content");
        assertThat(Files.getAttribute(temporary.resolve("out"), "unix:uid")).isEqualTo(DirectoryCalls.SELF);
        assertThat(theirs.resolve("file")).doesNotExist();
    }

    @Test
    void a_symbolic_link_is_refused_and_replaced_not_followed() throws IOException {
        Files.createSymbolicLink(theirs.resolve("link"), secret);
        assertRefused("link");
        Files.createSymbolicLink(theirs.resolve("link.coppice-new"), secret);
        try (UntrustedDirectory directory = open()) {
            assertThatThrownBy(() -> directory.create("link").close())
                    .isInstanceOf(java.nio.file.FileAlreadyExistsException.class);
            directory.replace("link", "new".getBytes(StandardCharsets.UTF_8), COMPUTE, COMPUTE);
        }
        assertThat(secret).hasContent("secret");
        assertThat(Files.isSymbolicLink(theirs.resolve("link"))).isFalse();
    }

    @Test
    void a_link_in_the_middle_of_a_name_is_refused() throws IOException {
        Files.createSymbolicLink(theirs.resolve("sub"), elsewhere);
        try (UntrustedDirectory directory = open()) {
            assertThatThrownBy(() -> directory.read("sub/secret").close()).isInstanceOf(UntrustedFileException.class);
            assertThatThrownBy(() -> directory.delete("sub/secret")).isInstanceOf(UntrustedFileException.class);
            assertThatThrownBy(() -> directory.makeDirectory("sub/more", COMPUTE, COMPUTE))
                    .isInstanceOf(UntrustedFileException.class);
            assertThatThrownBy(() -> directory.makeDirectory("sub", COMPUTE, COMPUTE))
                    .isInstanceOf(UntrustedFileException.class);
            assertThatThrownBy(() -> directory.replace("sub/secret", new byte[1], COMPUTE, COMPUTE))
                    .isInstanceOf(UntrustedFileException.class);
            assertThatThrownBy(() -> directory.rename("sub/secret", "mine")).isInstanceOf(UntrustedFileException.class);
        }
        assertThat(secret).hasContent("secret");
    }

    @Test
    void a_link_in_the_place_of_the_directory_is_refused() throws IOException {
        Path link = Files.createSymbolicLink(temporary.resolve("link"), elsewhere);
        assertThatThrownBy(() -> UntrustedDirectory.open(link).close()).isInstanceOf(UntrustedFileException.class);
    }

    @Test
    void names_that_lead_out_are_refused() throws IOException {
        try (UntrustedDirectory directory = open()) {
            for (String name : new String[] {
                "../elsewhere/secret", "/etc/passwd", "", ".", "a//b", "a/../b", "a\0b", "x".repeat(256)
            }) {
                assertThatThrownBy(() -> directory.read(name).close())
                        .as(name)
                        .isInstanceOf(UntrustedFileException.class);
            }
        }
    }

    @Test
    void a_hard_link_is_refused() throws IOException {
        assumeTrue(ROOT, "the same user's files cannot be told apart");
        Files.createLink(theirs.resolve("hard"), secret);
        assertRefused("hard");
        Path own = give(Files.writeString(theirs.resolve("own"), "theirs"));
        Files.createLink(theirs.resolve("other"), own);
        assertRefused("other");
    }

    @Test
    void a_file_of_another_user_is_refused() throws IOException {
        assumeTrue(ROOT, "only root can make one");
        Path foreign = Files.writeString(theirs.resolve("foreign"), "123456");
        Files.setAttribute(foreign, "unix:uid", 64_322);
        assertRefused("foreign");
    }

    @Test
    void a_fifo_a_device_a_socket_and_a_directory_are_refused_without_waiting() throws Exception {
        run("mkfifo", theirs.resolve("fifo").toString());
        assertRefused("fifo");
        Files.createDirectory(theirs.resolve("directory"));
        assertRefused("directory");
        try (var server = java.nio.channels.ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
            server.bind(java.net.UnixDomainSocketAddress.of(theirs.resolve("socket")));
            assertRefused("socket");
        }
        if (ROOT) {
            run("mknod", theirs.resolve("device").toString(), "c", "1", "5");
            assertRefused("device");
        }
    }

    @Test
    void a_file_of_another_size_is_not_taken_out() throws IOException {
        try (RandomAccessFile giant =
                new RandomAccessFile(theirs.resolve("giant").toFile(), "rw")) {
            giant.setLength(1L << 42);
        }
        give(theirs.resolve("giant"));
        try (UntrustedDirectory directory = open()) {
            assertThat(directory.head("giant", 10)).hasSize(10);
            assertThatThrownBy(() -> directory.takeOut("giant", 6, temporary.resolve("out")))
                    .isInstanceOf(UntrustedFileException.class)
                    .hasMessageContaining("bytes, not 6");
        }
        assertThat(DirectoryTree.allocatedBelow(theirs)).isLessThan(1 << 20);
    }

    @Test
    void a_directory_that_is_exchanged_all_the_time_never_leads_elsewhere() throws Exception {
        Path one = Files.createDirectory(theirs.resolve("one"));
        Files.writeString(give(one).resolve("file"), "inside");
        give(one.resolve("file"));
        Path link = Files.createSymbolicLink(theirs.resolve("two"), elsewhere);
        Files.writeString(elsewhere.resolve("file"), "outside");
        AtomicBoolean stop = new AtomicBoolean();
        Thread swapper = Thread.ofPlatform().start(() -> {
            Path spare = theirs.resolve("spare");
            while (!stop.get()) {
                try {
                    Files.move(one, spare, StandardCopyOption.ATOMIC_MOVE);
                    Files.move(link, one, StandardCopyOption.ATOMIC_MOVE);
                    Files.move(one, link, StandardCopyOption.ATOMIC_MOVE);
                    Files.move(spare, one, StandardCopyOption.ATOMIC_MOVE);
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            }
        });
        int read = 0;
        try (UntrustedDirectory directory = open()) {
            for (int round = 0; round < 20_000 || (read == 0 && round < 1_000_000); round++) {
                try {
                    assertThat(directory.head("one/file", 100)).isEqualTo("inside".getBytes(StandardCharsets.UTF_8));
                    read++;
                    directory.replace("one/new", new byte[1], COMPUTE, COMPUTE);
                } catch (UntrustedFileException | NoSuchFileException e) {
                    // It was exchanged just then.
                }
            }
        } finally {
            stop.set(true);
            swapper.join();
        }
        assertThat(read).isPositive();
        assertThat(elsewhere.resolve("new")).doesNotExist();
        assertThat(elsewhere.resolve("new.coppice-new")).doesNotExist();
    }

    @Test
    void a_tree_is_deleted_without_following_links() throws IOException {
        Path sub = Files.createDirectories(theirs.resolve("a/b/c"));
        Files.createSymbolicLink(sub.resolve("link"), elsewhere);
        Files.createSymbolicLink(theirs.resolve("link"), secret);
        Files.createLink(theirs.resolve("hard"), secret);
        DirectoryTree.delete(theirs);
        assertThat(theirs).doesNotExist();
        assertThat(secret).hasContent("secret");
        DirectoryTree.delete(theirs);
    }

    @Test
    void a_tree_deeper_than_any_path_is_measured_and_deleted() throws IOException {
        int at = DirectoryCalls.openDirectory(DirectoryCalls.AT_FDCWD, theirs.toString(), "theirs");
        for (int depth = 0; depth < 3000; depth++) {
            DirectoryCalls.makeDirectory(at, "directory", 0700, "deep");
            int next = DirectoryCalls.openDirectory(at, "directory", "deep");
            DirectoryCalls.close(at);
            at = next;
        }
        DirectoryCalls.close(at);
        assertThat(DirectoryTree.allocatedBelow(theirs)).isNotNegative();
        DirectoryTree.delete(theirs);
        assertThat(theirs).doesNotExist();
    }

    @Test
    void many_names_are_listed_up_to_a_bound_and_deleted() throws IOException {
        int at = DirectoryCalls.openDirectory(DirectoryCalls.AT_FDCWD, theirs.toString(), "theirs");
        for (int i = 0; i < 20_000; i++) {
            DirectoryCalls.symbolicLink("/etc/passwd", at, "name" + i, "many");
        }
        DirectoryCalls.close(at);
        try (UntrustedDirectory directory = open();
                DirectoryListing listing = DirectoryListing.of(directory.listing(), "theirs")) {
            assertThat(directory.list(name -> name.endsWith("19999"))).containsExactly("name19999");
            assertThatThrownBy(() -> listing.forEach(10_000, name -> {}))
                    .isInstanceOf(UntrustedFileException.class)
                    .hasMessageContaining("more than 10000 names");
        }
        DirectoryTree.delete(theirs);
        assertThat(theirs).doesNotExist();
        assertThat(Path.of("/etc/passwd")).exists();
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).inheritIO().start();
        assertThat(process.waitFor()).isZero();
    }
}
