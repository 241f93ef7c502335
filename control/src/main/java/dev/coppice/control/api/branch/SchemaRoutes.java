package dev.coppice.control.api.branch;

import dev.coppice.control.api.server.Call;
import dev.coppice.control.api.server.Lookup;
import dev.coppice.control.api.server.Reply;
import dev.coppice.control.api.server.Routes;
import dev.coppice.control.api.view.Points;
import dev.coppice.control.branch.SchemaComparison;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.error.ControlException;

/** The schema of a branch as SQL, and how it differs from another one's or an earlier one. */
public final class SchemaRoutes {
    private final Lookup lookup;
    private final SchemaComparison schemas;

    public SchemaRoutes(Lookup lookup, SchemaComparison schemas) {
        this.lookup = lookup;
        this.schemas = schemas;
    }

    public void register(Routes routes) {
        routes.get("/projects/{project}/branches/{branch}/schema", this::schema);
        routes.get("/projects/{project}/branches/{branch}/compare_schema", this::compare);
    }

    record Schema(String sql) {}

    record Difference(String diff) {}

    private Reply schema(Call call) {
        String format = call.query("format");
        if (format != null && !format.equals("sql")) {
            throw new ControlException(ControlException.Kind.UNPROCESSABLE, "format: only sql is supported");
        }
        return Reply.ok(new Schema(schemas.schema(
                lookup.branch(call),
                call.requiredQuery("db_name"),
                Points.point("", call.query("lsn"), call.query("timestamp")))));
    }

    private Reply compare(Call call) {
        Branch branch = lookup.branch(call);
        String database = call.requiredQuery("db_name");
        String base = call.query("base_branch_id");
        String baseId = base == null ? branch.parentId() : base;
        if (baseId == null) {
            throw ControlException.invalid(
                    "base_branch_id: is needed, because branch \"" + branch.name() + "\" has no parent");
        }
        return Reply.ok(new Difference(schemas.difference(
                new SchemaComparison.Side(
                        lookup.branch(call, baseId),
                        Points.point("base_", call.query("base_lsn"), call.query("base_timestamp"))),
                new SchemaComparison.Side(branch, Points.point("", call.query("lsn"), call.query("timestamp"))),
                database)));
    }
}
