package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.TimelineId;
import dev.coppice.control.branch.Made;
import dev.coppice.storage.PageService;
import dev.coppice.storage.fault.BoundaryException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What says what an anonymized branch hides was removed, cut, exchanged or changed while the server was down: nothing of the
 * originals is shown, everything else works, and with the files put back the branch is what it was.
 */
class LostBoundaryIT {
    private static final String SUM = "SELECT string_agg(name, ',' ORDER BY id) FROM people";

    private static ControlFixture fixture;
    private static MaskedParent parent;
    private static Made masked;
    private static Made other;
    private static Made child;
    private static String shown;
    private static String shownByOther;
    private static Path timelines;
    private static Path saved;

    @BeforeAll
    static void seed() throws Exception {
        fixture = new ControlFixture(-1);
        parent = new MaskedParent(fixture, "lost");
        parent.execute(
                parent.endpoint,
                "CREATE TABLE people (id int PRIMARY KEY, name text)",
                "INSERT INTO people SELECT n, 'Canary ' || n FROM generate_series(1, 50) n");
        masked = parent.anonymized("masked", parent.rules(parent.rule("people", "name", "pseudonym()")));
        other = parent.anonymized("other", parent.rules(parent.rule("people", "name", "blank()")));
        child = parent.child("child", masked.branch().id());
        shown = parent.value(endpoint(masked), SUM);
        shownByOther = parent.value(endpoint(other), SUM);
        assertThat(parent.value(endpoint(child), SUM)).isEqualTo(shown).doesNotContain("Canary 7");
        fixture.shutDown();
        timelines = fixture.data.resolve("timelines");
        saved = Files.createTempDirectory("boundaries");
        copy(timelines.resolve("boundaries"), saved.resolve("boundaries"));
        for (Made made : List.of(masked, other, child)) {
            Files.copy(metadata(made), saved.resolve(made.branch().timelineId()));
        }
    }

    @AfterAll
    static void close() throws IOException {
        DurableFiles.deleteRecursively(saved);
        fixture.open();
        fixture.close();
    }

    /** Whatever a test did to the files, the next one finds them as they were. */
    @AfterEach
    void putBack() throws IOException {
        restore();
    }

    private static void restore() throws IOException {
        copy(saved.resolve("boundaries"), timelines.resolve("boundaries"));
        for (Made made : List.of(masked, other, child)) {
            Files.copy(saved.resolve(made.branch().timelineId()), metadata(made), StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Ways to lose it, all of them while the server is down. */
    enum Loss {
        DOCUMENT_REMOVED {
            @Override
            void happen() throws IOException {
                Files.delete(document(masked));
            }
        },
        DOCUMENT_TRUNCATED {
            @Override
            void happen() throws IOException {
                byte[] whole = Files.readAllBytes(document(masked));
                Files.write(document(masked), Arrays.copyOf(whole, whole.length / 2));
            }
        },
        DOCUMENT_EMPTY {
            @Override
            void happen() throws IOException {
                Files.writeString(document(masked), "");
            }
        },
        DOCUMENT_OF_ANOTHER_TIMELINE {
            @Override
            void happen() throws IOException {
                Files.copy(document(other), document(masked), StandardCopyOption.REPLACE_EXISTING);
            }
        },
        /** The point is right then, the rules are another branch's. */
        DOCUMENT_OF_ANOTHER_TIMELINE_FOR_THIS_POINT {
            @Override
            void happen() throws IOException {
                String own = Files.readString(document(masked), StandardCharsets.ISO_8859_1);
                String body = Files.readString(document(other), StandardCharsets.ISO_8859_1);
                Files.writeString(
                        document(masked),
                        own.substring(0, own.indexOf('\n')) + body.substring(body.indexOf('\n')),
                        StandardCharsets.ISO_8859_1);
            }
        },
        METADATA_WITHOUT_BOUNDARY {
            @Override
            void happen() throws IOException {
                edit(masked, "\"boundary\":\"[0-9a-f]+\"", "\"boundary\":null");
            }
        },
        METADATA_WITH_ANOTHER_BOUNDARY {
            @Override
            void happen() throws IOException {
                edit(masked, "\"boundary\":\"[0-9a-f]{8}", "\"boundary\":\"01234567");
            }
        },
        /** Without its document, too, the timeline's own files say nothing of a boundary: the catalog does. */
        METADATA_AND_DOCUMENT_WITHOUT_BOUNDARY {
            @Override
            void happen() throws IOException {
                METADATA_WITHOUT_BOUNDARY.happen();
                DOCUMENT_REMOVED.happen();
            }
        },
        /** As a copy that missed the directory. */
        ALL_DOCUMENTS_REMOVED {
            @Override
            void happen() throws IOException {
                for (Path file : files(timelines.resolve("boundaries"))) {
                    Files.delete(file);
                }
                Files.delete(timelines.resolve("boundaries"));
            }
        };

        abstract void happen() throws IOException;
    }

    @ParameterizedTest
    @EnumSource(Loss.class)
    void nothing_is_shown_of_what_lost_its_boundary(Loss loss) throws Exception {
        loss.happen();
        fixture.open();
        try {
            assertLocked(masked);
            assertLocked(child);
            assertThatThrownBy(() -> storage(masked).list("base")).isInstanceOf(BoundaryException.class);
            assertThatThrownBy(() -> fixture.pages.createBranch(
                            new TimelineId("below"), storage(masked).head()))
                    .isInstanceOf(BoundaryException.class);
            assertThat(parent.value(parent.endpoint, "SELECT count(*)::text FROM people"))
                    .isEqualTo("50");
            if (loss == Loss.ALL_DOCUMENTS_REMOVED) {
                assertLocked(other);
            } else {
                assertThat(parent.value(endpoint(other), SUM)).isEqualTo(shownByOther);
            }
        } finally {
            fixture.shutDown();
        }
        restore();
        assertAsBefore();
    }

    /** The child has no boundary of its own: only the catalog knows what it sees. */
    @Test
    void a_child_that_was_led_to_the_original_shows_nothing() throws Exception {
        edit(child, "\"parent\":\"[^\"]*\"", "\"parent\":\"" + mainTimeline() + "\"");
        fixture.open();
        try {
            assertLocked(child);
            assertThat(parent.value(endpoint(masked), SUM)).isEqualTo(shown);
        } finally {
            fixture.shutDown();
        }
        restore();
        assertAsBefore();
    }

    /** It says of itself that it is another one: nobody knows whose pages lie there, or what hides them. */
    @Test
    void metadata_of_another_timeline_stops_this_one_and_its_children_alone() throws Exception {
        Files.copy(metadata(other), metadata(masked), StandardCopyOption.REPLACE_EXISTING);
        fixture.open();
        try {
            assertLocked(masked);
            assertLocked(child);
            assertThatThrownBy(() -> storage(masked).list("base")).isInstanceOf(StorageException.class);
            assertThat(parent.value(endpoint(other), SUM)).isEqualTo(shownByOther);
        } finally {
            fixture.shutDown();
        }
        restore();
        assertAsBefore();
    }

    /** Directories of former versions said nothing of boundaries in a timeline's metadata. */
    @Test
    void a_directory_of_a_former_version_without_its_documents_shows_nothing() throws Exception {
        former();
        for (Path file : files(timelines.resolve("boundaries"))) {
            Files.delete(file);
        }
        fixture.open();
        try {
            assertLocked(masked);
            assertLocked(child);
            assertLocked(other);
        } finally {
            fixture.shutDown();
        }
        restore();
        assertAsBefore();
    }

    @Test
    void a_directory_of_a_former_version_is_taken_over_and_then_needs_its_documents() throws Exception {
        former();
        Files.move(timelines.resolve("boundaries"), timelines.resolve(".boundaries"));
        assertAsBefore();
        assertThat(timelines.resolve(".boundaries")).doesNotExist();
        assertThat(Files.readString(metadata(masked)))
                .isEqualTo(Files.readString(saved.resolve(masked.branch().timelineId())));
        Loss.DOCUMENT_REMOVED.happen();
        fixture.open();
        try {
            assertLocked(masked);
            assertLocked(child);
        } finally {
            fixture.shutDown();
        }
    }

    /** A timeline's directory may be missing for a moment, while an administrator puts it back. */
    @Test
    void a_document_outlives_a_start_without_its_timeline() throws Exception {
        Path elsewhere = fixture.data.resolve("elsewhere");
        Files.move(timelines.resolve(child.branch().timelineId()), fixture.data.resolve("elsewhere-child"));
        Files.move(timelines.resolve(masked.branch().timelineId()), elsewhere);
        PageService.open(timelines).close();
        assertThat(document(masked)).exists();
        Files.move(elsewhere, timelines.resolve(masked.branch().timelineId()));
        Files.move(
                fixture.data.resolve("elsewhere-child"),
                timelines.resolve(child.branch().timelineId()));
        Files.createDirectory(timelines.resolve(".new-" + masked.branch().timelineId()));
        PageService.open(timelines).close();
        assertThat(document(masked)).exists();
    }

    @Test
    void a_locked_branch_can_be_deleted() throws Exception {
        fixture.open();
        Made doomed;
        try {
            doomed = parent.anonymized("doomed", parent.rules(parent.rule("people", "name", "blank()")));
        } finally {
            fixture.shutDown();
        }
        Files.delete(document(doomed));
        fixture.open();
        try {
            assertLocked(doomed);
            assertThat(fixture.delete("/projects/" + parent.project + "/branches/"
                                    + doomed.branch().id())
                            .status())
                    .isEqualTo(200);
            assertThat(fixture.pages.exists(new TimelineId(doomed.branch().timelineId())))
                    .isFalse();
        } finally {
            fixture.shutDown();
        }
    }

    private static void assertLocked(Made made) {
        assertThatThrownBy(() -> parent.value(endpoint(made), SUM))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(RoutingException.class)
                .hasMessageContaining("is locked");
        ControlFixture.Answer start =
                fixture.post("/projects/" + parent.project + "/endpoints/" + endpoint(made) + "/start", "");
        assertThat(start.status()).as(start.toString()).isEqualTo(423);
        assertThat(start.text("/message")).contains("from a backup");
    }

    private static void assertAsBefore() throws Exception {
        fixture.open();
        try {
            assertThat(parent.value(endpoint(masked), SUM)).isEqualTo(shown);
            assertThat(parent.value(endpoint(child), SUM)).isEqualTo(shown);
            assertThat(parent.value(endpoint(other), SUM)).isEqualTo(shownByOther);
        } finally {
            fixture.shutDown();
        }
    }

    /** Makes of the directory and of the catalog what a former version left. */
    private static void former() throws Exception {
        fixture.open();
        try {
            fixture.control.wiring().ground.catalog().transaction(connection -> {
                try (Statement statement = connection.createStatement()) {
                    statement.execute("DELETE FROM timeline_masking");
                }
                return Boolean.TRUE;
            });
        } finally {
            fixture.shutDown();
        }
        for (Path directory : files(timelines)) {
            Path file = directory.resolve("timeline.json");
            if (Files.exists(file)) {
                Files.writeString(
                        file,
                        Files.readString(file)
                                .replaceFirst("\"version\":2", "\"version\":1")
                                .replaceFirst(",\"boundary\":(null|\"[0-9a-f]+\")", ""));
            }
        }
    }

    private static String mainTimeline() throws IOException {
        String cleanPoint = Files.readString(metadata(masked)).replaceFirst("(?s).*\"parent\":\"([^\"]*)\".*", "$1");
        return Files.readString(timelines.resolve(cleanPoint).resolve("timeline.json"))
                .replaceFirst("(?s).*\"parent\":\"([^\"]*)\".*", "$1");
    }

    private static dev.coppice.storage.Timeline storage(Made made) {
        return fixture.pages.timeline(new TimelineId(made.branch().timelineId()));
    }

    private static String endpoint(Made made) {
        return made.endpoint().orElseThrow().id();
    }

    private static Path document(Made made) {
        return timelines.resolve("boundaries").resolve(made.branch().timelineId());
    }

    private static Path metadata(Made made) {
        return timelines.resolve(made.branch().timelineId()).resolve("timeline.json");
    }

    private static void edit(Made made, String pattern, String replacement) throws IOException {
        String before = Files.readString(metadata(made));
        String after = before.replaceFirst(pattern, replacement);
        assertThat(after).isNotEqualTo(before);
        Files.writeString(metadata(made), after);
    }

    private static List<Path> files(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return new ArrayList<>(files.toList());
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        for (Path file : files(from)) {
            Files.copy(file, to.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
