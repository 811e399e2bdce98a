# What follows from a rule's name. Included after the rules that leave it to their name.


def complete(named):
    """Give a rule its log, its benchmark and the digest of its code, by its name and the wildcards of its output."""
    wildcards = [f"{{{name}}}" for name in re.findall(r"\{(\w+)", "".join(named.output[:1]))]
    path = "/".join([named.name, *wildcards])
    named.log_modifier = named.benchmark_modifier = named.output_modifier
    named.set_log(f"<logs>/{path}.log")
    named.benchmark = f"<benchmarks>/{path}.tsv"
    named.set_params(code=code(named.name))


# Rules that name their log name all three; what was fetched, for one, stays as it is whatever becomes of its code.
for unnamed in workflow.rules:
    if unnamed.output and not unnamed.norun and not unnamed.log:
        complete(unnamed)
