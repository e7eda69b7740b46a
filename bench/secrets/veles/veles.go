// Package veles runs the detectors of osv-scalibr over a file.
package veles

import (
	"bytes"
	"context"

	"github.com/google/osv-scalibr/veles"
	"github.com/google/osv-scalibr/veles/secrets/anthropicapikey"
	"github.com/google/osv-scalibr/veles/secrets/awsaccesskey"
	"github.com/google/osv-scalibr/veles/secrets/azurestorageaccountaccesskey"
	"github.com/google/osv-scalibr/veles/secrets/azuretoken"
	"github.com/google/osv-scalibr/veles/secrets/circleci"
	"github.com/google/osv-scalibr/veles/secrets/cratesioapitoken"
	"github.com/google/osv-scalibr/veles/secrets/cursorapikey"
	"github.com/google/osv-scalibr/veles/secrets/denopat"
	"github.com/google/osv-scalibr/veles/secrets/digitaloceanapikey"
	"github.com/google/osv-scalibr/veles/secrets/discordbottoken"
	"github.com/google/osv-scalibr/veles/secrets/dockerhubpat"
	"github.com/google/osv-scalibr/veles/secrets/elasticcloudapikey"
	"github.com/google/osv-scalibr/veles/secrets/gcpapikey"
	"github.com/google/osv-scalibr/veles/secrets/gcpexpressmode"
	"github.com/google/osv-scalibr/veles/secrets/gcpoauth2access"
	"github.com/google/osv-scalibr/veles/secrets/gcpoauth2client"
	"github.com/google/osv-scalibr/veles/secrets/gcpsak"
	"github.com/google/osv-scalibr/veles/secrets/gcshmackey"
	"github.com/google/osv-scalibr/veles/secrets/github"
	"github.com/google/osv-scalibr/veles/secrets/gitlabpat"
	"github.com/google/osv-scalibr/veles/secrets/grokxaiapikey"
	"github.com/google/osv-scalibr/veles/secrets/hashicorpvault"
	"github.com/google/osv-scalibr/veles/secrets/hcp"
	"github.com/google/osv-scalibr/veles/secrets/herokuplatformkey"
	"github.com/google/osv-scalibr/veles/secrets/huggingfaceapikey"
	"github.com/google/osv-scalibr/veles/secrets/jwt"
	"github.com/google/osv-scalibr/veles/secrets/mistralapikey"
	"github.com/google/osv-scalibr/veles/secrets/npmjsaccesstoken"
	"github.com/google/osv-scalibr/veles/secrets/onepasswordkeys"
	"github.com/google/osv-scalibr/veles/secrets/openai"
	"github.com/google/osv-scalibr/veles/secrets/openrouter"
	"github.com/google/osv-scalibr/veles/secrets/packagist"
	"github.com/google/osv-scalibr/veles/secrets/paystacksecretkey"
	"github.com/google/osv-scalibr/veles/secrets/perplexityapikey"
	"github.com/google/osv-scalibr/veles/secrets/postmanapikey"
	"github.com/google/osv-scalibr/veles/secrets/privatekey"
	"github.com/google/osv-scalibr/veles/secrets/pypiapitoken"
	"github.com/google/osv-scalibr/veles/secrets/pyxkeyv1"
	"github.com/google/osv-scalibr/veles/secrets/pyxkeyv2"
	"github.com/google/osv-scalibr/veles/secrets/recaptchakey"
	"github.com/google/osv-scalibr/veles/secrets/rubygemsapikey"
	"github.com/google/osv-scalibr/veles/secrets/salesforceoauth2access"
	"github.com/google/osv-scalibr/veles/secrets/salesforceoauth2client"
	"github.com/google/osv-scalibr/veles/secrets/salesforceoauth2jwt"
	"github.com/google/osv-scalibr/veles/secrets/salesforceoauth2refresh"
	"github.com/google/osv-scalibr/veles/secrets/sendgrid"
	"github.com/google/osv-scalibr/veles/secrets/slacktoken"
	"github.com/google/osv-scalibr/veles/secrets/squareapikey"
	"github.com/google/osv-scalibr/veles/secrets/stripeapikeys"
	"github.com/google/osv-scalibr/veles/secrets/supabase"
	"github.com/google/osv-scalibr/veles/secrets/telegrambotapitoken"
	"github.com/google/osv-scalibr/veles/secrets/tinkkeyset"
	"github.com/google/osv-scalibr/veles/secrets/urlcreds"
	"github.com/google/osv-scalibr/veles/secrets/vapid"
)

// Engine holds every detector that osv-scalibr lists, but those for HTTP headers and the one for Packagist update
// tokens, which reports any word behind "name" or "user".
type Engine struct{ e *veles.DetectionEngine }

// New makes the engine.
func New() (*Engine, error) {
	e, err := veles.NewDetectionEngine([]veles.Detector{
		anthropicapikey.NewDetector(),
		azuretoken.NewDetector(),
		azurestorageaccountaccesskey.NewDetector(),
		circleci.NewPersonalAccessTokenDetector(),
		circleci.NewProjectTokenDetector(),
		cursorapikey.NewDetector(),
		digitaloceanapikey.NewDetector(),
		pypiapitoken.NewDetector(),
		cratesioapitoken.NewDetector(),
		npmjsaccesstoken.NewDetector(),
		slacktoken.NewAppConfigAccessTokenDetector(),
		slacktoken.NewAppConfigRefreshTokenDetector(),
		slacktoken.NewAppLevelTokenDetector(),
		dockerhubpat.NewDetector(),
		elasticcloudapikey.NewDetector(),
		denopat.NewUserTokenDetector(),
		denopat.NewOrgTokenDetector(),
		gcpapikey.NewDetector(),
		gcpexpressmode.NewDetector(),
		gcpsak.NewDetector(),
		gitlabpat.NewDetector(),
		grokxaiapikey.NewAPIKeyDetector(),
		grokxaiapikey.NewManagementKeyDetector(),
		hashicorpvault.NewTokenDetector(),
		hashicorpvault.NewAppRoleDetector(),
		hcp.NewPairDetector(),
		hcp.NewAccessTokenDetector(),
		huggingfaceapikey.NewDetector(),
		mistralapikey.NewDetector(),
		openai.NewDetector(),
		openrouter.NewDetector(),
		packagist.NewAPISecretDetector(),
		packagist.NewOrgReadTokenDetector(),
		packagist.NewOrgUpdateTokenDetector(),
		packagist.NewConductorUpdateTokenDetector(),
		perplexityapikey.NewDetector(),
		postmanapikey.NewAPIKeyDetector(),
		postmanapikey.NewCollectionTokenDetector(),
		privatekey.NewDetector(),
		rubygemsapikey.NewDetector(),
		sendgrid.NewDetector(),
		tinkkeyset.NewDetector(),
		github.NewAppRefreshTokenDetector(),
		github.NewAppS2STokenDetector(),
		github.NewAppU2SDetector(),
		github.NewClassicPATDetector(),
		github.NewFineGrainedPATDetector(),
		github.NewOAuthTokenDetector(),
		stripeapikeys.NewSecretKeyDetector(),
		stripeapikeys.NewRestrictedKeyDetector(),
		stripeapikeys.NewWebhookSecretDetector(),
		supabase.NewPATDetector(),
		supabase.NewProjectSecretKeyDetector(),
		supabase.NewServiceRoleJWTDetector(),
		squareapikey.NewPersonalAccessTokenDetector(),
		squareapikey.NewOAuthApplicationSecretDetector(),
		gcpoauth2client.NewDetector(),
		gcpoauth2access.NewDetector(),
		onepasswordkeys.NewSecretKeyDetector(),
		onepasswordkeys.NewServiceTokenDetector(),
		onepasswordkeys.NewRecoveryTokenDetector(),
		paystacksecretkey.NewSecretKeyDetector(),
		gcshmackey.NewDetector(),
		vapid.NewDetector(),
		recaptchakey.NewDetector(),
		jwt.NewDetector(),
		pyxkeyv1.NewDetector(),
		pyxkeyv2.NewDetector(),
		urlcreds.NewDetector(),
		telegrambotapitoken.NewDetector(),
		salesforceoauth2access.NewDetector(),
		salesforceoauth2client.NewDetector(),
		herokuplatformkey.NewSecretKeyDetector(),
		salesforceoauth2jwt.NewDetector(),
		salesforceoauth2refresh.NewDetector(),
		discordbottoken.NewDetector(),
		awsaccesskey.NewDetector(),
	})
	return &Engine{e}, err
}

// Count returns the number of secrets in content.
func (e *Engine) Count(_ string, content []byte) (int, error) {
	found, err := e.e.Detect(context.Background(), bytes.NewReader(content))
	return len(found), err
}
