package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.control.anonymize.AnonymizeWorkflow;
import dev.coppice.control.branch.BranchWorkflows;
import dev.coppice.control.catalog.Steps;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchLife;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.HiddenTimeline;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.catalog.model.ProjectSettings;
import dev.coppice.control.catalog.model.ProjectSettings.EndpointSettings;
import dev.coppice.control.catalog.rows.HiddenTimelineRows;
import dev.coppice.control.catalog.rows.OperationRows;
import dev.coppice.control.catalog.rows.SnapshotRows;
import dev.coppice.control.deletion.RecoveryWindow;
import dev.coppice.control.ephemeral.TimeTravel;
import dev.coppice.control.masking.RuleSet;
import dev.coppice.control.project.ProjectWorkflows;
import dev.coppice.control.restore.RestoreWorkflow;
import dev.coppice.control.snapshot.SnapshotRestore;
import dev.coppice.control.snapshot.SnapshotWorkflows;
import dev.coppice.control.timeline.BranchPointRequest;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Every kind of operation, ended between any two of its durable steps as a kill would end it; then one restart. What was
 * under way is finished or undone, and nothing belongs to nobody.
 */
class OperationsIT {
    /** More would be an operation that never ends. */
    private static final int STEPS_MAX = 50;

    private static final String DATABASE = "coppice";

    /** Of the branches that are left; each has to be woken. */
    private static final int LOOKED_AT_MAX = 12;

    /** Passes everything that would undo an operation. */
    private static final class Killed extends Error {
        private static final long serialVersionUID = 1L;
    }

    /** Ends the operation of one thread at a step of it. */
    private static final class Killer implements Steps {
        private volatile @Nullable Thread victim;
        private int left;

        @Override
        public void between() {
            if (Thread.currentThread().equals(victim) && --left == 0) {
                throw new Killed();
            }
        }

        /** Whether {@code operation} was ended at its step number {@code step}, from 1; it has no such step otherwise. */
        boolean kill(int step, Runnable operation) {
            left = step;
            victim = Thread.currentThread();
            try {
                operation.run();
                return false;
            } catch (Killed e) {
                return true;
            } finally {
                victim = null;
            }
        }
    }

    private final Killer killer = new Killer();
    private final long seed = Long.getLong("coppice.seed", 20_261_121L);
    private final Random random = new Random(seed);
    private ControlFixture fixture;
    private ProjectFixture project;
    private int names;

    @BeforeEach
    void open() throws IOException {
        fixture = new ControlFixture(-1, new TimeTravel.Limits(10, 2), new RecoveryWindow(600, 600), killer);
        project = new ProjectFixture(fixture, "operations");
    }

    @AfterEach
    void close() throws IOException {
        fixture.close();
    }

    @Test
    void whatever_a_kill_interrupts_is_finished_or_undone_and_nothing_is_left_over() throws Exception {
        project.execute(project.main, "CREATE TABLE t AS SELECT 1 AS n");
        Lsn past = Lsn.parse(project.query(project.main, "SELECT pg_current_wal_insert_lsn()::text"));
        project.execute(project.main, "INSERT INTO t VALUES (2)");
        String guarded = project.created("guarded");
        project.patch(guarded, "\"protected\":true");
        String snapshot = snapshots()
                .take(project.id, project.main, new BranchPointRequest.Head(), "s", null)
                .snapshot()
                .id();
        BranchPointRequest head = new BranchPointRequest.Head();

        everyStep("branch", () -> create(project.main, head, BranchLife.PARENT_DATA));
        someSteps("branch at an LSN", 3, () -> create(project.main, new BranchPointRequest.AtLsn(past), "parent-data"));
        someSteps("child of a protected branch", 3, () -> create(guarded, head, BranchLife.PARENT_DATA));
        someSteps("schema-only branch", 4, () -> create(project.main, head, BranchLife.SCHEMA_ONLY));
        everyStep("snapshot", () -> snapshots().take(project.id, project.main, head, null, null));
        someSteps(
                "snapshot restore",
                3,
                () -> snapshotRestore().restore(new SnapshotRestore.Request(project.id, snapshot, fresh(), null)));
        everyStep("deletion", branch(id -> branches().delete(project.id, id, false)));
        everyStep("deletion for good", branch(id -> branches().delete(project.id, id, true)));
        everyStep("recovery", deleted(id -> wiring().recovery.branch(project.id, id)));
        everyStep(
                "expiry",
                branch(id -> branches().setExpiry(project.id, id, Instant.now().plusSeconds(60))));
        everyStep("reset", branch(id -> restore(id, project.main, head, null)));
        someSteps("restore from the past", 4, branch(id -> {
            Lsn now = fixture.pages
                    .timeline(new TimelineId(project.row(id).timelineId()))
                    .endOfWal();
            restore(id, id, new BranchPointRequest.AtLsn(now), fresh());
        }));
        someSteps(
                "finalization",
                4,
                restored(snapshot, id -> wiring().snapshotFinalization.finalizeRestore(project.id, id, fresh())));
        everyStep("snapshot deletion", taken(id -> snapshots().delete(project.id, id)));
        someSteps(
                "project",
                2,
                () -> wiring().projects
                        .create(new ProjectWorkflows.Request(
                                fresh(), "main", "owner", "db", 3600, ProjectSettings.DEFAULTS)));
        someSteps("project deletion", 2, otherProject(id -> wiring().projects.delete(id, false)));
        someSteps(
                "project deletion for good",
                2,
                otherProject(id -> wiring().projects.delete(id, true)));

        fixture.abandon();
        fixture.open();
        assertNothingIsLeftOver();
        assertThat(project.query(project.main, "SELECT sum(n) FROM t")).isEqualTo("3");
        List<Branch> left =
                new ArrayList<>(wiring().ground.catalog().inventory().branchesOf(project.id));
        Collections.shuffle(left, random);
        for (Branch branch : left.subList(0, Math.min(LOOKED_AT_MAX, left.size()))) {
            String count = project.query(branch.id(), "SELECT count(*) FROM t");
            assertThat(count)
                    .as(branch.toString())
                    .isIn(branch.life().isSchemaOnly() ? List.of("0") : List.of("1", "2"));
            fixture.computes.suspend(project.endpointOf(branch.id())).join();
        }
    }

    @Test
    void a_kill_in_the_middle_of_masking_leaves_no_original_within_reach() throws Exception {
        project.executeIn(
                project.main,
                DATABASE,
                "CREATE TABLE people AS SELECT n, 'Canary ' || n AS name, 'canary note' AS note FROM generate_series(1, 50) n",
                "CREATE INDEX ON people (name)");
        RuleSet names = new RuleSet(RuleSet.Unlisted.KEEP, List.of(rule("name", "pseudonym()")));
        RuleSet both = new RuleSet(
                RuleSet.Unlisted.KEEP, List.of(rule("name", "dummy_first_name()"), rule("note", "blank()")));
        BranchPointRequest head = new BranchPointRequest.Head();
        Preparation masked = () -> {
            String name = fresh();
            return () -> anonymize().create(request(name), names);
        };
        someSteps("anonymized branch", 6, masked);
        someSteps("masked reset", 4, anonymized(names, id -> restore(id, project.main, head, null)));
        someSteps("masked reset that preserves", 2, anonymized(names, id -> restore(id, project.main, head, fresh())));
        someSteps("other rules", 3, anonymized(names, id -> {
            wiring().maskingRules.replaceRules(project.id, id, both);
            wiring().reanonymization.anonymize(project.id, id);
        }));

        fixture.abandon();
        fixture.open();
        assertNothingIsLeftOver();
        int looked = 0;
        for (Branch branch : wiring().ground.catalog().inventory().branchesOf(project.id)) {
            if (branch.id().equals(project.main)) {
                continue;
            }
            assertThat(project.queryIn(
                            branch.id(), DATABASE, "SELECT count(*) FROM people p WHERE p.name LIKE 'Canary%'"))
                    .as(branch.toString())
                    .isEqualTo("0");
            assertThat(fixture.pages
                            .timeline(new TimelineId(branch.timelineId()))
                            .seesThroughBoundary())
                    .as(branch.toString())
                    .isTrue();
            looked++;
            fixture.computes.suspend(project.endpointOf(branch.id())).join();
        }
        assertThat(looked).isGreaterThan(5);
    }

    private static RuleSet.Rule rule(String column, String function) {
        return new RuleSet.Rule(DATABASE, "public", "people", column, function, null, null, null);
    }

    private AnonymizeWorkflow anonymize() {
        return fixture.control.wiring().anonymizing;
    }

    private BranchWorkflows.Request request(String name) {
        return new BranchWorkflows.Request(
                project.id, project.main, name, new BranchPointRequest.Head(), false, true, 0);
    }

    private Preparation anonymized(RuleSet rules, Consumer<String> operation) {
        return () -> {
            String id = anonymize().create(request(fresh()), rules).branch().id();
            return () -> operation.accept(id);
        };
    }

    private void everyStep(String what, Runnable operation) {
        int step = 1;
        while (killer.kill(step, prepared(operation))) {
            step++;
            assertThat(step).as(what).isLessThanOrEqualTo(STEPS_MAX);
        }
        assertThat(step).as(what + " has durable steps").isGreaterThan(1);
    }

    private void someSteps(String what, int count, Runnable operation) {
        List<Integer> steps = new ArrayList<>();
        for (int step = 1; step <= 2 * count + 1; step++) {
            steps.add(step);
        }
        Collections.shuffle(steps, random);
        int killed = 0;
        for (int step : steps.subList(0, count)) {
            killed += killer.kill(step, prepared(operation)) ? 1 : 0;
        }
        assertThat(killed).as(what + " was killed; -Dcoppice.seed=" + seed).isPositive();
    }

    /** What an operation needs is made before anything is killed. */
    private interface Preparation extends Runnable {
        Runnable prepare();

        @Override
        default void run() {
            prepare().run();
        }
    }

    private static Runnable prepared(Runnable operation) {
        return operation instanceof Preparation preparation ? preparation.prepare() : operation;
    }

    private Preparation branch(Consumer<String> operation) {
        return () -> {
            String id = project.created(fresh());
            return () -> operation.accept(id);
        };
    }

    private Preparation deleted(Consumer<String> operation) {
        return () -> {
            String id = project.created(fresh());
            project.delete(id);
            return () -> operation.accept(id);
        };
    }

    private Preparation restored(String snapshot, Consumer<String> operation) {
        return () -> {
            String target = project.created(fresh());
            String id = snapshotRestore()
                    .restore(new SnapshotRestore.Request(project.id, snapshot, fresh(), target))
                    .branch()
                    .id();
            return () -> operation.accept(id);
        };
    }

    private Preparation taken(Consumer<String> operation) {
        return () -> {
            String id = snapshots()
                    .take(project.id, project.main, new BranchPointRequest.Head(), null, null)
                    .snapshot()
                    .id();
            return () -> operation.accept(id);
        };
    }

    private Preparation otherProject(Consumer<String> operation) {
        return () -> {
            String id = new ProjectFixture(fixture, fresh()).id;
            return () -> operation.accept(id);
        };
    }

    private void create(String parent, BranchPointRequest point, String source) {
        branches()
                .create(new BranchWorkflows.Request(
                        project.id, parent, fresh(), point, false, true, 0, EndpointSettings.DEFAULTS, source, null));
    }

    private void restore(String id, String source, BranchPointRequest point, @Nullable String preserve) {
        wiring().restores.restore(new RestoreWorkflow.Request(project.id, id, source, point, preserve));
    }

    private String fresh() {
        return "name-" + ++names;
    }

    private Wiring wiring() {
        return fixture.control.wiring();
    }

    private BranchWorkflows branches() {
        return wiring().branches;
    }

    private SnapshotWorkflows snapshots() {
        return wiring().snapshots;
    }

    private SnapshotRestore snapshotRestore() {
        return wiring().snapshotRestores;
    }

    private void assertNothingIsLeftOver() {
        assertThat(wiring().ground.catalog().transaction(OperationRows::unfinished))
                .isEmpty();
        Set<String> owned = new HashSet<>(Set.of(ProjectWorkflows.TEMPLATE.value()));
        for (Branch branch : wiring().ground.catalog().inventory().branches()) {
            assertThat(branch.state()).as(branch.toString()).isIn(BranchState.READY, BranchState.DELETED);
            assertThat(fixture.pages.exists(new TimelineId(branch.timelineId())))
                    .as(branch.toString())
                    .isTrue();
            owned.add(branch.timelineId());
        }
        Set<String> held = new HashSet<>();
        List<Project> projects =
                new ArrayList<>(wiring().ground.catalog().inventory().projects());
        projects.addAll(wiring().ground.catalog().inventory().deletedProjects());
        for (Project found : projects) {
            wiring().ground
                    .catalog()
                    .transaction(connection -> SnapshotRows.list(connection, found.id()))
                    .forEach(snapshot -> held.add(snapshot.timelineId()));
        }
        for (HiddenTimeline hidden : wiring().ground.catalog().transaction(HiddenTimelineRows::all)) {
            TimelineId id = new TimelineId(hidden.timelineId());
            assertThat(fixture.pages.exists(id)).as(hidden.toString()).isTrue();
            switch (hidden.kind()) {
                case SNAPSHOT -> assertThat(held).contains(hidden.timelineId());
                case RETIRED, CLEAN_POINT ->
                    assertThat(fixture.pages.children(id)).as(hidden.toString()).isNotEmpty();
                case MOMENT, MASKED_VIEW ->
                    assertThat(hidden).as("nobody looks at it").isNull();
            }
            owned.add(hidden.timelineId());
        }
        assertThat(fixture.pages.timelines()).extracting(TimelineId::value).containsExactlyInAnyOrderElementsOf(owned);
        for (Endpoint endpoint : wiring().ground.catalog().inventory().endpoints()) {
            assertThat(wiring().ground.catalog().inventory().branch(endpoint.branchId()))
                    .as(endpoint.toString())
                    .isPresent();
        }
    }
}
