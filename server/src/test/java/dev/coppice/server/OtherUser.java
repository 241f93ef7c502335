package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A user of this machine without any power, made for a test and gone with it. Only root can make one. */
final class OtherUser implements AutoCloseable {
    private final String name;
    private final int uid;
    private final int gid;
    private final Path programs;

    private OtherUser(String name, int uid, int gid, Path programs) {
        this.name = name;
        this.uid = uid;
        this.gid = gid;
        this.programs = programs;
    }

    /** Whether one can be made here. */
    static boolean isPossible() {
        return System.getProperty("user.name").equals("root")
                && Programs.succeeds("useradd", "--help")
                && Programs.succeeds("setpriv", "--version");
    }

    static OtherUser create() throws IOException {
        String name = "coppice-test-" + ProcessHandle.current().pid();
        assertThat(Programs.succeeds("useradd", "--system", "--no-create-home", "--user-group", name))
                .as("useradd " + name)
                .isTrue();
        OtherUser made = new OtherUser(name, id(name, "-u"), id(name, "-g"), TestDirectories.create("oth"));
        made.own(made.programs);
        return made;
    }

    private static int id(String name, String which) {
        return Integer.parseInt(Programs.run(List.of("id", which, name), "").text());
    }

    int uid() {
        return uid;
    }

    /** In front of a command that shall be his. */
    List<String> prefix() {
        return List.of("setpriv", "--reuid=" + uid, "--regid=" + gid, "--clear-groups", "--inh-caps=-all", "--");
    }

    /** Gives a file or directory, and all that is below it, to him. */
    void own(Path path) throws IOException {
        try (Stream<Path> files = Files.walk(path)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.setAttribute(file, "unix:uid", uid, LinkOption.NOFOLLOW_LINKS);
                Files.setAttribute(file, "unix:gid", gid, LinkOption.NOFOLLOW_LINKS);
            }
        }
    }

    /** This process's class path at a place that he can reach: the home of root is closed to him. */
    String classPath() throws IOException {
        List<String> reachable = new ArrayList<>();
        int number = 0;
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path from = Path.of(entry);
            Path to = programs.resolve(number++ + "-" + from.getFileName());
            if (Files.isDirectory(from) && !Files.exists(to)) {
                copy(from, to);
            } else if (Files.isRegularFile(from) && !Files.exists(to)) {
                Files.copy(from, to);
            }
            reachable.add(to.toString());
        }
        return String.join(File.pathSeparator, reachable);
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
    }

    /** Ends what is left of his, and the account. */
    @Override
    public void close() throws IOException {
        for (ProcessHandle process : ProcessHandle.allProcesses().toList()) {
            Path of = Path.of("/proc", Long.toString(process.pid()));
            if (Files.exists(of) && Files.getAttribute(of, "unix:uid").equals(uid)) {
                process.destroyForcibly();
            }
        }
        TestDirectories.delete(programs);
        Programs.run(List.of("userdel", name), "");
    }
}
