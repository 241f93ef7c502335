package dev.coppice.control.branch;

import com.github.difflib.DiffUtils;
import com.github.difflib.UnifiedDiffUtils;
import dev.coppice.common.Lsn;
import dev.coppice.compute.ComputeAddress;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.endpoint.Computes;
import dev.coppice.control.ephemeral.TimeTravel;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.operation.BranchLocks;
import dev.coppice.control.sql.AdminConnection;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.sql.SchemaText;
import dev.coppice.control.timeline.BranchPointRequest;
import dev.coppice.storage.PageService;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/** The schema of a branch, now or at a moment of its history, and how two of them differ. */
public final class SchemaComparison {
    /** Lines around a difference, as {@code diff -u} has them. */
    private static final int CONTEXT_LINES = 3;

    private static final String INVALID_CATALOG_NAME = "3D000";

    private final Inventory inventory;
    private final Finder finder;
    private final PageService pages;
    private final Computes computes;
    private final AdminConnection admin;
    private final ActivityMonitor monitor;
    private final TimeTravel travel;
    private final BranchLocks locks;

    public SchemaComparison(
            Inventory inventory,
            Finder finder,
            PageService pages,
            Computes computes,
            AdminConnection admin,
            ActivityMonitor monitor,
            TimeTravel travel,
            BranchLocks locks) {
        this.inventory = inventory;
        this.finder = finder;
        this.pages = pages;
        this.computes = computes;
        this.admin = admin;
        this.monitor = monitor;
        this.travel = travel;
        this.locks = locks;
    }

    /** One side of a comparison. */
    public record Side(Branch branch, BranchPointRequest point) {
        private String label() {
            return switch (point) {
                case BranchPointRequest.Head() -> branch.name();
                case BranchPointRequest.AtLsn(var lsn) -> branch.name() + "@" + lsn;
                case BranchPointRequest.AtTime(var time) -> branch.name() + "@" + time;
            };
        }
    }

    /**
     * The schema of a database as SQL. Wakes the branch, or a compute of the moment.
     *
     * @throws ControlException NOT_FOUND for the database, UNPROCESSABLE for a moment outside the history
     */
    public String schema(Branch branch, String database, BranchPointRequest point) {
        ComputeAddress address = address(branch, point);
        try (Connection connection = admin.open(address, database)) {
            return SchemaText.of(connection);
        } catch (SQLException e) {
            throw INVALID_CATALOG_NAME.equals(e.getSQLState())
                    ? new ControlException(
                            ControlException.Kind.NOT_FOUND,
                            "db_name: database \"" + database + "\" not found in branch \"" + branch.name() + "\"",
                            e)
                    : ComputeSql.translate(e);
        }
    }

    private ComputeAddress address(Branch branch, BranchPointRequest point) {
        if (!(point instanceof BranchPointRequest.Head)) {
            return travel.wake(branch, point);
        }
        Optional<String> endpoint = inventory.endpointOfBranch(branch.id()).map(Endpoint::id);
        if (endpoint.isEmpty()) {
            // Nobody writes to it, so its end is its present.
            Lsn end = pages.timeline(branch.timeline()).endOfWal();
            return travel.wake(branch, new BranchPointRequest.AtLsn(end));
        }
        try (BranchLocks.Hold _ = locks.shared(branch, "read")) {
            ComputeAddress address = computes.awake(
                    endpoint.get(),
                    finder.branch(branch.projectId(), branch.id()).timeline());
            monitor.touch(endpoint.get());
            return address;
        }
    }

    /** What would have to change in {@code base} to become {@code other}, as a unified diff; empty when they are equal. */
    public String difference(Side base, Side other, String database) {
        List<String> before = lines(base, database);
        List<String> after = lines(other, database);
        return String.join(
                "\n",
                UnifiedDiffUtils.generateUnifiedDiff(
                        "a/" + base.label(),
                        "b/" + other.label(),
                        before,
                        DiffUtils.diff(before, after),
                        CONTEXT_LINES));
    }

    private List<String> lines(Side side, String database) {
        return schema(side.branch(), database, side.point()).lines().toList();
    }
}
