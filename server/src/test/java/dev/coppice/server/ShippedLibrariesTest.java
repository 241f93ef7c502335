package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an installation has is what NOTICE lists, with its licences: a new library is looked at before it is shipped. */
class ShippedLibrariesTest {
    private static final Path NOTICE = Path.of("..", "NOTICE");

    /** Maven's list: group, artifact, type, perhaps a classifier, version, scope. */
    private static final Pattern RESOLVED =
            Pattern.compile("(?m)^ +([\\w.-]+:[\\w.-]+):jar(?::([\\w.-]+))?:[^:\\s]+:(?:compile|runtime)\\b");

    private static final Pattern LISTED =
            Pattern.compile("(?m)^([\\w.-]+:[\\w.-]+) +((?:server|cli)(?:, cli)?) +\\S.*$");

    @ParameterizedTest
    @ValueSource(strings = {"server", "cli"})
    void notice_lists_what_is_shipped(String part) throws IOException {
        String resolved = resolved(part);
        Set<String> shipped = RESOLVED.matcher(resolved)
                .results()
                .map(found -> withoutMachine(found.group(1)))
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> listed = LISTED.matcher(Files.readString(NOTICE))
                .results()
                .filter(found -> Set.of(found.group(2).split(", ")).contains(part))
                .map(found -> found.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(shipped).isEqualTo(listed);
    }

    @ParameterizedTest
    @ValueSource(strings = {"server", "cli"})
    void nothing_is_for_other_systems(String part) throws IOException {
        assertThat(RESOLVED.matcher(resolved(part)).results().map(ShippedLibrariesTest::classifier))
                .containsAnyOf("", "linux-x86_64", "linux-aarch_64")
                .allMatch(name -> Set.of("", "linux-x86_64", "linux-aarch_64").contains(name));
    }

    private static String classifier(MatchResult found) {
        return found.group(2) == null ? "" : found.group(2);
    }

    /** The archive of Postgres is named after the machine. */
    private static String withoutMachine(String name) {
        return name.replaceFirst("-linux-(amd64|arm64v8)$", "-linux");
    }

    /** What the build wrote of the part; it is only there when Maven built it in this run or another. */
    private static String resolved(String part) throws IOException {
        Path list = Path.of("..", part, "target", "shipped.txt");
        assumeThat(Files.exists(list))
                .as("%s, which the build of the module writes", list)
                .isTrue();
        return Files.readString(list);
    }
}
