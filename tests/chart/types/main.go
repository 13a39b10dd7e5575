// Reads manifests, one or more documents in each file, into the types of Kubernetes, and tells every field that they do not have.
package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

var kinds = map[string]func() any{
	"apps/v1 Deployment":                 func() any { return &apps.Deployment{} },
	"batch/v1 Job":                       func() any { return &batch.Job{} },
	"networking.k8s.io/v1 NetworkPolicy": func() any { return &networking.NetworkPolicy{} },
	"policy/v1 PodDisruptionBudget":      func() any { return &policy.PodDisruptionBudget{} },
	"v1 ConfigMap":                       func() any { return &core.ConfigMap{} },
	"v1 Service":                         func() any { return &core.Service{} },
	"v1 ServiceAccount":                  func() any { return &core.ServiceAccount{} },
}

var between = regexp.MustCompile(`(?m)^---$`)

func main() {
	failed := false
	for _, path := range os.Args[1:] {
		text, err := os.ReadFile(path)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		for _, document := range between.Split(string(text), -1) {
			if err := read([]byte(document)); err != nil {
				fmt.Printf("%s: %v\n", path, err)
				failed = true
			}
		}
	}
	if failed {
		os.Exit(1)
	}
}

func read(document []byte) error {
	var is struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := yaml.Unmarshal(document, &is); err != nil {
		return err
	}
	if is.Kind == "" && len(bytes.TrimSpace(document)) == 0 {
		return nil
	}
	kind := is.APIVersion + " " + is.Kind
	made, ok := kinds[kind]
	if !ok {
		return fmt.Errorf("%q is none of the kinds that are known here", kind)
	}
	if err := yaml.UnmarshalStrict(document, made()); err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	return nil
}
