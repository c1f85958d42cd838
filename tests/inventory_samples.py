"""Inventories as operators have them, for both readers: each a few files, by their names.

Those named after an incident came from the field; their names and addresses are neutral.
"""

from collections.abc import Mapping
from pathlib import Path

Files = Mapping[str, str]

# Each line with the nodes that it names; no name is there twice, so they are one inventory too.
LINES: Mapping[str, tuple[str, ...]] = {
    "alone": ("alone",),
    "c[1:3]": ("c1", "c2", "c3"),
    "z[08:11]": ("z08", "z09", "z10", "z11"),
    "s[0:6:3]": ("s0", "s3", "s6"),
    "n[:2]": ("n0", "n1", "n2"),
    "db-[a:c]": ("db-a", "db-b", "db-c"),
    "r[1:2]-[a:b].x": ("r1-a.x", "r1-b.x", "r2-a.x", "r2-b.x"),
    "2001:db8::1": ("2001:db8::1",),
    "[2001:db8::2]:22": ("2001:db8::2",),
    "p:2222": ("p",),
    "b # c": ("b",),
    "101": ("101",),
}

# Each text with the user that wins for the node whose name is that of the case.
NEAREST: Mapping[str, tuple[str, str]] = {
    "host over group": (
        "[g1]\nn1 ansible_user=host\n[g1:vars]\nansible_user=group\n",
        "n1=host",
    ),
    "group over all": (
        "[g2]\nn2\n[g2:vars]\nansible_user=group\n[all:vars]\nansible_user=all\n",
        "n2=group",
    ),
    "inner group over outer": (
        (
            "[a3:children]\nz3\n[z3]\nn3\n[z3:vars]\nansible_user=inner\n"
            "[a3:vars]\nansible_user=outer\n"
        ),
        "n3=inner",
    ),
    "equals: the later name": (
        "[a4]\nn4\n[b4]\nn4\n[a4:vars]\nansible_user=a\n[b4:vars]\nansible_user=b\n",
        "n4=b",
    ),
    "equals: the higher priority": (
        (
            "[a5]\nn5\n[b5]\nn5\n[a5:vars]\nansible_user=a\nansible_group_priority=9\n"
            "[b5:vars]\nansible_user=b\n"
        ),
        "n5=a",
    ),
    "the later line": (
        "[g6]\nn6 ansible_user=first\nn6 ansible_user=then\n",
        "n6=then",
    ),
}

SAMPLES: Mapping[str, Files] = {
    "directory": {
        "10-custom": """\
[control]
ctl1 ansible_host=192.0.2.11
[compute_rack1]
c01 ansible_host=192.0.2.21
""",
        "20-roles": """\
[compute:children]
compute_rack1
""",
        "group_vars/all.yml": "ansible_user: ops\n",
    },
    "dynamic-output.json": {
        "dynamic-output.json": """\
{
  "_meta": {"hostvars": {
    "infra1": {"ansible_host": "192.0.2.11", "is_metal": true},
    "infra1_keystone_container-1a2b3c4d": {"ansible_host": "192.0.2.71"},
    "compute1": {"ansible_host": "192.0.2.21"}}},
  "all": {"vars": {"container_cidr": "192.0.2.0/24"}},
  "nova_compute": {"children": [], "hosts": ["compute1"]},
  "infra_hosts": {"hosts": ["infra1"]},
  "keystone_all": {"children": ["keystone"], "hosts": []},
  "keystone": {"hosts": ["infra1_keystone_container-1a2b3c4d"]}
}
""",
    },
    "file-beside-folder": {
        "group_vars/all/ssh.yml": "ansible_user: folder\n",
        "group_vars/all.yml": """\
ansible_user: file
ansible_port: 2222
""",
        "group_vars/compute.yaml": "ansible_port: 24\n",
        "group_vars/compute.yml": "ansible_port: 23\n",
        "hosts": """\
[compute]
c01
""",
    },
    "hidden-and-backup": {
        "group_vars/all/.gitignore": """\
*.retry
!keep
""",
        "group_vars/all/.main.yml.swp": "ansible_user: backup\n",
        "group_vars/all/main.retry": "ansible_user: backup\n",
        "group_vars/all/main.yml": "ansible_user: ops\n",
        "group_vars/all/main.yml.bak": "ansible_user: backup\n",
        "group_vars/all/main.yml.orig": "ansible_user: backup\n",
        "group_vars/all/main.yml~": "ansible_user: backup\n",
        "group_vars/all/notes.txt": "ansible_user: backup\n",
        "group_vars/compute/old~": "ansible_user: backup\n",
        "hosts": """\
[compute]
c01
""",
    },
    "inventory-plugin.yml": {
        "inventory-plugin.yml": """\
plugin: openstack.cloud.openstack
expand_hostvars: true
""",
    },
    "key-that-ansible-skips.yml": {
        "key-that-ansible-skips.yml": """\
all:
  children:
    compute:
      hosts:
        c01:
      ansible_user: ops
""",
    },
    "key-twice.yml": {
        "key-twice.yml": """\
compute:
  hosts:
    c01:
compute:
  hosts:
    c02:
""",
    },
    "local-by-its-whole-name.ini": {
        "local-by-its-whole-name.ini": """\
[deployment]
localhost ansible_connection=ansible.builtin.local
""",
    },
    "nested-folders": {
        "group_vars/all/a.yml": """\
ansible_user: first
ansible_port: 23
""",
        "group_vars/all/deep/z.yml": "ansible_user: deep\n",
        "group_vars/all/old.d/x.yml": "ansible_user: never\n",
        "group_vars/all/z": "ansible_port: 25\n",
        "hosts": """\
[compute]
c01
""",
    },
    "not-by-ssh.ini": {
        "not-by-ssh.ini": """\
[compute]
c01
[hyperv]
hv1 ansible_connection=winrm
[switches]
sw1 ansible_connection=ansible.netcommon.network_cli
""",
    },
    "oddities.ini": {
        "oddities.ini": """\
# What Ansible reads in its own way.
both ansible_host=192.0.2.1 ansible_ssh_host=192.0.2.2
both ansible_user=new ansible_ssh_user=old ansible_port=11 ansible_ssh_port=12
number ansible_port=0x16  # a literal of Python
nothing ansible_user=None
first:2222
first:3333

[ctl]
ctl ansible_user=of-the-group  # a node and a group of one name: it is the group's
other

[ungrouped]
grouped

[late]
grouped

[ungrouped:vars]
ansible_port=99
""",
    },
    "oddities.yml": {
        "oddities.yml": """\
all:
  hosts:
    octal: {ansible_port: 022, ansible_user: yes}
    unsafe: {ansible_host: !unsafe "192.0.2.1"}
    empty: ""
    void: 0
    nothing: {ansible_host: ~, ansible_user: ""}
  children:
    base: &base
      hosts: {one: , two: }
      vars: {ansible_user: base}
    above:
      <<: *base
      vars: {ansible_port: 23}
      oddity: {one: }
    skipped_later:
      hosts: one
other: 5
""",
    },
    "password-of-tripleo.yaml": {
        "password-of-tripleo.yaml": """\
Compute:
  hosts:
    overcloud-novacompute-0:
      ansible_host: 192.0.2.21
      canonical_hostname: overcloud-novacompute-0.localdomain
overcloud:
  children: {Compute: {}}
  vars: {overcloud_admin_password: not-a-real-one, plan: overcloud}
""",
    },
    "string-instead-of-mapping.yml": {
        "string-instead-of-mapping.yml": """\
all:
  children:
    control:
      hosts: ctl1
    compute:
      hosts:
        c01:
    nodes:
      children: compute
""",
    },
    "templates.yml": {
        "templates.yml": """\
compute:
  hosts:
    c01: {ansible_host: "{{ hosts_of_site.c01 }}"}
    c02: {ansible_host: 192.0.2.22}
""",
    },
}


def write(files: Files, directory: Path) -> Path:
    """Write an inventory, and return what is named to read it: a file, or the directory."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    if "hosts" in files:
        return directory / "hosts"
    return directory if len(files) > 1 else directory / next(iter(files))
