// Command kubernetes checks the Helm chart as Helm and Kubernetes read it: Helm's own lint and rendering, and Kubernetes' own
// types, by which unknown fields and wrong types are errors. It keeps deploy/kubernetes/leak-agent.yaml, which is the
// chart with its defaults for those who do not use Helm.
//
//	kubernetes CHART MANIFEST          checks
//	kubernetes CHART MANIFEST --write  writes the manifest anew
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

const namespace = "leak-agent"

// cases are values that the chart must take or refuse, over several releases of Kubernetes.
var cases = []struct {
	name, kubernetes, values string
	refused                  string
}{
	{name: "defaults", kubernetes: "v1.34.0"},
	{name: "an old cluster", kubernetes: "v1.25.0"},
	{name: "all of it", kubernetes: "v1.34.0", values: `
image: {repository: "registry.example.org/leak-agent", tag: "1", pullSecrets: [{name: pull}]}
config: |
  [[alert]]
  name = "ops"
secrets: [slack]
metrics: {port: 9500, annotations: false, podMonitor: {enabled: true, labels: {release: prometheus}}}
affinity: {nodeAffinity: {}}
priorityClassName: system-node-critical
podLabels: {team: platform}
podAnnotations: {note: "yes"}
`},
	{name: "an unknown value", kubernetes: "v1.34.0", values: "imagge: {}", refused: "imagge"},
	{name: "a path that is none", kubernetes: "v1.34.0", values: "state: {hostPath: here}", refused: "hostPath"},
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	write := len(args) == 3 && args[2] == "--write"
	if len(args) != 2 && !write {
		return errors.New("usage: kubernetes CHART MANIFEST [--write]")
	}
	folder, manifest := args[0], args[1]
	linted := lint.All(folder, nil, namespace, true)
	for _, message := range linted.Messages {
		// A chart without an icon is fine.
		if message.Severity > support.InfoSev {
			return fmt.Errorf("helm lint: %w", message)
		}
	}
	loaded, err := loader.Load(folder)
	if err != nil {
		return err
	}
	for _, it := range cases {
		rendered, err := render(loaded, it.values, it.kubernetes)
		if it.refused != "" {
			if err == nil || !strings.Contains(err.Error(), it.refused) {
				return fmt.Errorf("%s: it should be refused, with %q: %v", it.name, it.refused, err)
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", it.name, err)
		}
		kinds, err := check(rendered)
		if err != nil {
			return fmt.Errorf("%s: %w", it.name, err)
		}
		wanted := []string{"ConfigMap", "DaemonSet", "ServiceAccount"}
		if strings.Contains(it.values, "podMonitor") {
			wanted = []string{"ConfigMap", "DaemonSet", "PodMonitor", "ServiceAccount"}
		}
		if !slices.Equal(kinds, wanted) {
			return fmt.Errorf("%s: it has %v, not %v", it.name, kinds, wanted)
		}
	}
	return keep(loaded, manifest, write)
}

// render gives the chart's objects by the names of their templates.
func render(loaded *chart.Chart, values, kubernetes string) (map[string]string, error) {
	given, err := chartutil.ReadValues([]byte(values))
	if err != nil {
		return nil, err
	}
	version, err := chartutil.ParseKubeVersion(kubernetes)
	if err != nil {
		return nil, err
	}
	able := chartutil.DefaultCapabilities.Copy()
	able.KubeVersion = *version
	release := chartutil.ReleaseOptions{Name: "leak-agent", Namespace: namespace, Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(loaded, given, release, able)
	if err != nil {
		return nil, err
	}
	files, err := engine.Engine{Strict: true}.Render(loaded, all)
	if err != nil {
		return nil, err
	}
	objects := map[string]string{}
	for name, text := range files {
		if filepath.Ext(name) == ".yaml" && strings.TrimSpace(text) != "" {
			objects[filepath.Base(name)] = strings.TrimSpace(text) + "\n"
		}
	}
	return objects, nil
}

// check reads each object as Kubernetes does, and gives their kinds in order.
func check(objects map[string]string) ([]string, error) {
	var kinds []string
	for name, text := range objects {
		var about struct {
			Kind string `json:"kind"`
		}
		if err := yaml.Unmarshal([]byte(text), &about); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		kinds = append(kinds, about.Kind)
		var err error
		switch about.Kind {
		case "ServiceAccount":
			err = yaml.UnmarshalStrict([]byte(text), new(corev1.ServiceAccount))
		case "ConfigMap":
			err = yaml.UnmarshalStrict([]byte(text), new(corev1.ConfigMap))
		case "DaemonSet":
			set := new(appsv1.DaemonSet)
			if err = yaml.UnmarshalStrict([]byte(text), set); err == nil {
				err = holds(set)
			}
		case "PodMonitor":
			// The operator's own types are not at hand: any object will do.
			err = yaml.UnmarshalStrict([]byte(text), new(map[string]any))
		default:
			err = fmt.Errorf("nothing is known of a %q", about.Kind)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	slices.Sort(kinds)
	return kinds, nil
}

// holds tells whether the pods may do what they must, and nothing else.
func holds(set *appsv1.DaemonSet) error {
	pod := set.Spec.Template.Spec
	if !pod.HostPID || len(pod.Containers) != 1 {
		return errors.New("one container sees the processes of its node")
	}
	it := pod.Containers[0]
	security := it.SecurityContext
	if security == nil || security.Capabilities == nil || security.Privileged == nil || *security.Privileged {
		return errors.New("it says what it may do, and is not privileged")
	}
	added := []corev1.Capability{"SYS_PTRACE", "DAC_READ_SEARCH"}
	dropped := []corev1.Capability{"ALL"}
	if !slices.Equal(security.Capabilities.Add, added) || !slices.Equal(security.Capabilities.Drop, dropped) {
		return fmt.Errorf("it has other capabilities: %v", security.Capabilities)
	}
	volumes := map[string]bool{}
	for _, volume := range pod.Volumes {
		volumes[volume.Name] = true
	}
	for _, mount := range it.VolumeMounts {
		if !volumes[mount.Name] {
			return fmt.Errorf("there is no volume %s", mount.Name)
		}
	}
	for key, value := range set.Spec.Selector.MatchLabels {
		if set.Spec.Template.Labels[key] != value {
			return fmt.Errorf("its pods have no label %s=%s", key, value)
		}
	}
	return nil
}

// keep checks or writes the manifest.
func keep(loaded *chart.Chart, manifest string, write bool) error {
	objects, err := render(loaded, "", "v1.34.0")
	if err != nil {
		return err
	}
	text := new(bytes.Buffer)
	text.WriteString("# Made of deploy/helm/leak-agent with its defaults: see docs/kubernetes.md.\n" +
		"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: " + namespace + "\n  labels:\n" +
		"    # It sees the processes of its node, which stricter levels refuse.\n" +
		"    pod-security.kubernetes.io/enforce: privileged\n")
	for _, name := range []string{"serviceaccount.yaml", "configmap.yaml", "daemonset.yaml"} {
		text.WriteString("---\n")
		text.WriteString(strings.ReplaceAll(objects[name], "managed-by: Helm", "managed-by: kubectl"))
	}
	if write {
		return os.WriteFile(manifest, text.Bytes(), 0o644)
	}
	there, err := os.ReadFile(manifest)
	if err != nil {
		return err
	}
	if !bytes.Equal(there, text.Bytes()) {
		return fmt.Errorf("%s is not what the chart makes: run cargo xtask kubernetes --write", manifest)
	}
	return nil
}
