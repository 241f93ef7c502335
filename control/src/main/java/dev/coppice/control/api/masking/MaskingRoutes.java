package dev.coppice.control.api.masking;

import dev.coppice.control.anonymize.AnonymizeWorkflow;
import dev.coppice.control.anonymize.MaskingInspection;
import dev.coppice.control.anonymize.MaskingRules;
import dev.coppice.control.anonymize.NamedRuleSets;
import dev.coppice.control.api.branch.BranchRoutes;
import dev.coppice.control.api.server.AnonymizedScope;
import dev.coppice.control.api.server.Call;
import dev.coppice.control.api.server.Lookup;
import dev.coppice.control.api.server.Reply;
import dev.coppice.control.api.server.Routes;
import dev.coppice.control.api.view.Bodies;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchMasking;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.masking.RuleCheck;
import dev.coppice.control.masking.RuleSet;
import dev.coppice.control.restore.Reanonymization;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Anonymized branches as Neon's clients know them, and rules by name, a try of rules on real rows, and suggestions. */
public final class MaskingRoutes {
    private static final String BRANCH = "/projects/{project}/branches/{branch}";
    private static final String SETS = "/projects/{project}/masking_rule_sets";
    private static final int ROWS_DEFAULT = 5;
    private static final int ROWS_MAX = 100;

    private final Lookup lookup;
    private final BranchRoutes branches;
    private final AnonymizeWorkflow workflow;
    private final MaskingRules declared;
    private final Reanonymization reanonymization;
    private final NamedRuleSets sets;
    private final MaskingInspection inspection;
    private final AnonymizedScope anonymized;

    public MaskingRoutes(
            Lookup lookup,
            BranchRoutes branches,
            AnonymizeWorkflow workflow,
            MaskingRules declared,
            Reanonymization reanonymization,
            NamedRuleSets sets,
            MaskingInspection inspection,
            AnonymizedScope anonymized) {
        this.lookup = lookup;
        this.branches = branches;
        this.workflow = workflow;
        this.declared = declared;
        this.reanonymization = reanonymization;
        this.sets = sets;
        this.inspection = inspection;
        this.anonymized = anonymized;
    }

    public void register(Routes routes) {
        routes.post("/projects/{project}/branch_anonymized", this::create);
        routes.get(BRANCH + "/masking_rules", call -> Reply.ok(MaskingViews.Rules.of(rules(masking(call)))));
        routes.patch(BRANCH + "/masking_rules", this::replaceRules);
        routes.get(BRANCH + "/anonymized_status", call -> status(call, masking(call)));
        routes.post(BRANCH + "/anonymize", this::anonymize);
        routes.post(BRANCH + "/masking_test", this::test);
        routes.post(BRANCH + "/masking_suggestions", this::suggest);
        routes.get(
                SETS,
                call -> Reply.ok(new MaskingViews.RuleSets(sets.all(call.project()).stream()
                        .map(MaskingViews.NamedRuleSet::of)
                        .toList())));
        routes.get(
                SETS + "/{name}",
                call -> Reply.ok(new MaskingViews.OneRuleSet(
                        MaskingViews.NamedRuleSet.of(sets.find(call.project(), call.name())))));
        routes.put(SETS + "/{name}", this::putSet);
        routes.delete(
                SETS + "/{name}",
                call -> Reply.ok(new MaskingViews.OneRuleSet(
                        MaskingViews.NamedRuleSet.of(sets.delete(call.project(), call.name())))));
    }

    /** Makes the branch masked from its first moment on, also when asked to start later: it never shows an original. */
    private Reply create(Call call) throws IOException {
        MaskingBodies.CreateAnonymized asked = call.body(MaskingBodies.CreateAnonymized.class);
        anonymized.requireNamedRules(call, asked.maskingRules() != null || asked.maskingPolicy() != null);
        RuleSet rules = rules(call, asked.maskingRules(), asked.maskingPolicy(), asked.maskingRuleSet());
        if (rules.rules().isEmpty() && asked.maskingPolicy() == null && asked.maskingRuleSet() == null) {
            // Rules are to be declared later: until then nothing is shown.
            rules = new RuleSet(RuleSet.Unlisted.MASK, List.of());
        }
        Bodies.CreateBranch branch =
                Objects.requireNonNullElseGet(asked.branchCreate(), () -> new Bodies.CreateBranch(null, null, null));
        return Reply.created(branches.created(
                workflow.create(branches.request(call, branch), rules, MaskingBodies.indexes(asked.maskingIndexes()))));
    }

    private Reply replaceRules(Call call) throws IOException {
        MaskingBodies.Rules asked = call.body(MaskingBodies.Rules.class);
        if (asked.maskingRules() == null && asked.maskingRuleSet() == null) {
            throw ControlException.invalid("masking_rules: is missing");
        }
        RuleSet rules = rules(call, asked.maskingRules(), asked.maskingPolicy(), asked.maskingRuleSet());
        Branch branch = lookup.branch(call);
        BranchMasking changed = declared.replaceRules(branch.projectId(), branch.id(), rules);
        return Reply.ok(MaskingViews.Rules.of(rules(changed)));
    }

    private Reply anonymize(Call call) {
        Branch branch = lookup.branch(call);
        return status(call, reanonymization.anonymize(branch.projectId(), branch.id()));
    }

    private Reply test(Call call) throws IOException {
        MaskingBodies.Test asked = call.body(MaskingBodies.Test.class);
        int rows = asked.rows() == null ? ROWS_DEFAULT : asked.rows();
        if (rows < 0 || rows > ROWS_MAX) {
            throw ControlException.invalid("rows: must be 0 to " + ROWS_MAX);
        }
        RuleSet rules = rules(call, asked.maskingRules(), asked.maskingPolicy(), asked.maskingRuleSet());
        Branch branch = lookup.branch(call);
        return Reply.ok(new MaskingViews.Tests(inspection
                .test(
                        branch.projectId(),
                        branch.id(),
                        rules,
                        new MaskingInspection.Reader(asked.roleName(), asked.password()),
                        rows)
                .stream()
                .map(MaskingViews.Test::of)
                .toList()));
    }

    private Reply suggest(Call call) throws IOException {
        MaskingBodies.Suggest asked =
                call.body(MaskingBodies.Suggest.class, () -> new MaskingBodies.Suggest(null, null, null));
        Branch branch = lookup.branch(call);
        return Reply.ok(MaskingViews.Suggestions.of(inspection.suggest(
                branch.projectId(),
                branch.id(),
                asked.databaseName(),
                new MaskingInspection.Reader(asked.roleName(), asked.password()))));
    }

    private Reply putSet(Call call) throws IOException {
        MaskingBodies.Rules asked = call.body(MaskingBodies.Rules.class);
        if (asked.maskingRules() == null) {
            throw ControlException.invalid("masking_rules: is missing");
        }
        RuleSet rules = MaskingBodies.ruleSet(asked.maskingRules(), asked.maskingPolicy());
        return Reply.ok(new MaskingViews.OneRuleSet(
                MaskingViews.NamedRuleSet.of(sets.put(lookup.project(call).id(), call.name(), rules))));
    }

    /** The rules that a request states, or the stored ones that it names. */
    private RuleSet rules(
            Call call,
            @Nullable List<MaskingBodies.@Nullable Rule> rules,
            @Nullable String policy,
            @Nullable String set) {
        if (set != null) {
            if (rules != null || policy != null) {
                throw ControlException.invalid(
                        "masking_rule_set: give this, or masking_rules and masking_policy, not both");
            }
            return RuleSet.parse(sets.find(lookup.project(call).id(), set).rules());
        }
        RuleSet stated = MaskingBodies.ruleSet(rules, policy);
        RuleCheck.understood(stated, "masking_rules");
        return stated;
    }

    private BranchMasking masking(Call call) {
        Branch branch = lookup.branch(call);
        return declared.masking(branch.projectId(), branch.id())
                .orElseThrow(
                        () -> ControlException.notFound("branch \"" + branch.name() + "\" is no anonymized branch"));
    }

    private static RuleSet rules(BranchMasking masking) {
        return RuleSet.parse(masking.rules());
    }

    private static Reply status(Call call, BranchMasking masking) {
        return Reply.ok(MaskingViews.Status.of(call.project(), masking));
    }
}
